"""The all-MiniLM-L6-v2 encoder as an ONNX graph, built from its weights without torch: run in a child process."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]

_MICROSOFT = "com.microsoft"  # operators of onnxruntime that the ONNX standard does not have
_INPUTS = ("input_ids", "attention_mask")
_OUTPUT = "sentence_embedding"


def convert(source: Path, target: Path, *, int8: bool) -> None:
    """Write the encoder whose `config.json` and `model.safetensors` are in the folder `source` to the ONNX file `target`."""
    config = json.loads((source / "config.json").read_text("utf-8"))
    weights = _read_safetensors(source / "model.safetensors")
    onnx.save(_Graph(weights, config, int8=int8).build(), str(target))


def _read_safetensors(path: Path) -> dict[str, Floats]:
    """Read all tensors of a safetensors file: a length, a JSON header of that length, and the raw numbers."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8:start])
    tensors: dict[str, Floats] = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            first, last = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[start + first : start + last], "<f4").reshape(entry["shape"])
    return tensors


class _Graph:
    """The encoder as an ONNX graph that ends in the pooled, normalised sentence vector.

    int8 quantises weights per output column and activations per token, the scale being the token's own largest value. A
    text's vector therefore does not depend on which texts share its batch, as it does with one scale per tensor.
    """

    def __init__(self, weights: dict[str, Floats], config: dict[str, Any], *, int8: bool) -> None:
        self._weights = weights
        self._layers: int = config["num_hidden_layers"]
        self._heads: int = config["num_attention_heads"]
        self._width: int = config["hidden_size"]
        self._epsilon: float = config["layer_norm_eps"]
        self._int8 = int8
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._quantised: dict[str, tuple[str, str]] = {}

    def build(self) -> Any:
        """Return the model: `input_ids`, `attention_mask` (batch, tokens) to `sentence_embedding` (batch, dimension)."""
        x = self._embeddings()
        mask = self._node("Cast", "attention_mask", to=TensorProto.INT32)
        for n in range(self._layers):
            layer = f"encoder.layer.{n}."
            attended = self._attention(x, mask, layer + "attention.self.")
            x = self._residual(x, attended, layer + "attention.output.")
            inner = self._node("Gelu", self._linear(x, *self._dense(layer + "intermediate.dense")), domain=_MICROSOFT)
            x = self._residual(x, inner, layer + "output.")
        self._pool(x, self._node("Cast", "attention_mask", to=TensorProto.FLOAT))
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in _INPUTS]
        output = helper.make_tensor_value_info(_OUTPUT, TensorProto.FLOAT, ["batch", self._width])
        graph = helper.make_graph(self._nodes, "encoder", inputs, [output], list(self._constants.values()))
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def _embeddings(self) -> str:
        weights, name = self._weights, "embeddings."
        # the token type is 0 in every text, so its vector is simply part of the position's
        positions = weights[name + "position_embeddings.weight"] + weights[name + "token_type_embeddings.weight"][0]
        words = self._words(weights[name + "word_embeddings.weight"])
        tokens = self._node("Gather", self._node("Shape", "input_ids"), self._constant("one", _integers(1)))
        zero = self._constant("zero", _integers(0))
        places = self._node("Slice", self._constant("positions", positions), zero, tokens, zero)
        return self._layer_norm(self._node("Add", words, places), name + "LayerNorm")

    def _words(self, table: Floats) -> str:
        if not self._int8:
            return self._node("Gather", self._constant("words", table), "input_ids")
        # half of all weights are this table; a scale for each word keeps the vectors as exact as before
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, 1e-12).astype(np.float32)
        rounded = self._constant("words", np.round(table / scale).astype(np.int8))
        words = self._node("Cast", self._node("Gather", rounded, "input_ids"), to=TensorProto.FLOAT)
        return self._node("Mul", words, self._node("Gather", self._constant("words.scale", scale), "input_ids"))

    def _attention(self, x: str, mask: str, name: str) -> str:
        parts = [self._dense(name + part) for part in ("query", "key", "value")]
        together = np.concatenate([w for _, w, _ in parts], axis=1), np.concatenate([b for _, _, b in parts])
        projected = self._linear(x, name + "qkv", *together)
        outputs = [f"{name}{part}" for part in ("q", "k", "v")]
        self._append("Split", [projected, self._constant("thirds", _integers(*[self._width] * 3))], outputs, axis=-1)
        return self._node("MultiHeadAttention", *outputs, "", mask, domain=_MICROSOFT, num_heads=self._heads)

    def _residual(self, x: str, y: str, name: str) -> str:
        # x - (-Wy - b) instead of x + (Wy + b): the runtime fuses the sum with the normalisation into a kernel that is
        # not vectorised and costs a quarter of the whole int8 run; the difference it leaves alone
        key, weight, bias = self._dense(name + "dense")
        return self._layer_norm(self._node("Sub", x, self._linear(y, key, -weight, -bias)), name + "LayerNorm")

    def _layer_norm(self, x: str, name: str) -> str:
        gain, bias = (self._constant(f"{name}.{part}", self._weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self._node("LayerNormalization", x, gain, bias, epsilon=self._epsilon, axis=-1)

    def _pool(self, x: str, mask: str) -> None:
        # the mean over the tokens that are not padding; its division by their number is undone by the normalisation
        axis = self._constant("axis", _integers(1))
        total = self._node("Squeeze", self._node("MatMul", self._node("Unsqueeze", mask, axis), x), axis)
        self._append("LpNormalization", [total], [_OUTPUT], axis=-1, p=2)

    def _dense(self, name: str) -> tuple[str, Floats, Floats]:
        return name, self._weights[name + ".weight"].T, self._weights[name + ".bias"]

    def _linear(self, x: str, name: str, weight: Floats, bias: Floats) -> str:
        if not self._int8:
            product = self._node("MatMul", x, self._constant(name + ".weight", weight))
            return self._node("Add", product, self._constant(name + ".bias", bias))
        quantised, largest = self._quantise(x)
        scale = np.maximum(np.abs(weight).max(axis=0) / 127, 1e-12).astype(np.float32)
        rounded = np.clip(np.round(weight / scale), -127, 127).astype(np.int8)
        product = self._node(
            "MatMulIntegerToFloat",
            quantised,
            self._constant(name + ".weight", rounded),
            self._constant("step", np.float32(1 / 127)),
            self._constant(name + ".scale", scale),
            self._constant("middle", np.uint8(128)),
            self._constant(name + ".zero", np.zeros(weight.shape[1], np.int8)),
            domain=_MICROSOFT,
        )
        return self._node("Add", self._node("Mul", product, largest), self._constant(name + ".bias", bias))

    def _quantise(self, x: str) -> tuple[str, str]:
        """Return `x` in 8 bits and the largest absolute value of each token, by which it was divided."""
        if x not in self._quantised:
            largest = self._node("ReduceMax", self._node("Abs", x), axes=[-1], keepdims=1)
            largest = self._node("Max", largest, self._constant("tiny", np.float32(1e-9)))
            step, middle = self._constant("step", np.float32(1 / 127)), self._constant("middle", np.uint8(128))
            relative = self._node("Mul", x, self._node("Reciprocal", largest))
            self._quantised[x] = self._node("QuantizeLinear", relative, step, middle), largest
        return self._quantised[x]

    def _constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def _node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        output = f"{operator}.{len(self._nodes)}"
        self._append(operator, list(inputs), [output], domain=domain, **attributes)
        return output

    def _append(self, operator: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: Any) -> None:
        self._nodes.append(helper.make_node(operator, inputs, outputs, domain=domain, **attributes))


def _integers(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def main(arguments: Sequence[str]) -> None:
    """Convert: source folder, target file, variant."""
    source, target, variant = arguments
    convert(Path(source), Path(target), int8=variant == "int8")


if __name__ == "__main__":
    main(sys.argv[1:])

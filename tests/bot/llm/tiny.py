"""A llama so small that it is made in milliseconds: random weights, bytes for tokens, and nothing to say but letters."""

from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEADS, LAYERS, INNER, CONTEXT = 32, 2, 2, 64, 512
TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant: "
VISIBLE = range(ord("a"), ord("z") + 1)
BYTES, BEGIN, END = range(256), 256, 257


def write(gguf: Any, path: Path) -> None:
    """Write the model with the package `gguf`."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(BYTES) + 2)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([*_byte_names(), "<s>", "</s>"])
    writer.add_token_types([gguf.TokenType.NORMAL] * len(BYTES) + [gguf.TokenType.CONTROL] * 2)
    writer.add_token_merges(["a a"])  # a list must have an entry, and this one makes no token
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in _tensors().items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tensors() -> dict[str, Any]:
    chance = np.random.default_rng(7)

    def weights(*shape: int) -> Any:
        return chance.normal(0, 0.5, shape).astype(np.float32)

    output = np.zeros((len(BYTES) + 2, WIDTH), np.float32)
    output[list(VISIBLE)] = weights(len(VISIBLE), WIDTH)  # the likeliest token is always one of these
    tensors = {"token_embd.weight": weights(len(BYTES) + 2, WIDTH), "output.weight": output}
    tensors["output_norm.weight"] = np.ones(WIDTH, np.float32)
    for n in range(LAYERS):
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"blk.{n}.{part}.weight"] = weights(WIDTH, WIDTH)
        tensors[f"blk.{n}.ffn_gate.weight"] = weights(INNER, WIDTH)
        tensors[f"blk.{n}.ffn_up.weight"] = weights(INNER, WIDTH)
        tensors[f"blk.{n}.ffn_down.weight"] = weights(WIDTH, INNER)
        for norm in ("attn_norm", "ffn_norm"):
            tensors[f"blk.{n}.{norm}.weight"] = np.ones(WIDTH, np.float32)
    return tensors


def _byte_names() -> list[str]:
    """Return how byte-level vocabularies write each byte: https://github.com/openai/gpt-2/blob/master/src/encoder.py"""
    plain = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in BYTES]

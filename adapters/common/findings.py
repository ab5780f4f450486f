"""What is found when a connection is tried."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. The twin connects also without what is not `needed`; `fix` is empty when all is well."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    needed: bool = True

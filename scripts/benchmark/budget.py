"""How much is measured: enough for steady figures, a quick look, or only that it works."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """`chunks` of renewals and `rounds` of everything."""

    rounds: int
    chunks: int
    reads: int
    sizes: tuple[int, int]  # instances, for the due scan
    memory: int  # renewals


FULL = Budget(rounds=11, chunks=6, reads=300, sizes=(10_000, 1_000_000), memory=100_000)
QUICK = Budget(rounds=3, chunks=4, reads=100, sizes=(2_000, 50_000), memory=2_000)
TINY = Budget(rounds=1, chunks=1, reads=5, sizes=(300, 600), memory=200)

"""Write what arena-rank makes of some votes, as a fixture for ``tests/test_vote_statistics.py``.

arena-rank (Apache-2.0, https://github.com/lmarena/arena-rank) pins numpy and pulls jax, so that it is no dependency of
the tests. In an environment of its own:

    pip install arena-rank==0.1.1
    python scripts/oracle_arena_rank.py tests/golden/arena_rank.json
"""

from __future__ import annotations

import json
import random
import sys
from importlib.metadata import version
from pathlib import Path

#: (a, b): wins of a, ties, wins of b. MultiTalk, SelfTalk, CodeTalker, FaceFormer, VOCA: lip-sync, inferred counts.
TABLE4 = {"0,1": (64, 0, 55), "0,2": (90, 0, 27), "0,3": (101, 0, 19), "0,4": (111, 0, 8)}


def simulate(seed: int, systems: int, votes: int) -> dict[str, tuple[int, int, int]]:
    """Return votes on all pairs, a fifth of them ties."""
    rng = random.Random(seed)
    strength = [rng.gauss(0, 1) for _ in range(systems)]
    out = {}
    for a in range(systems):
        for b in range(a + 1, systems):
            chance = 1 / (1 + 2.718281828459045 ** (strength[b] - strength[a]))
            drawn = [1 if rng.random() < 0.2 else 0 if rng.random() < chance else 2 for _ in range(votes)]
            out[f"{a},{b}"] = (drawn.count(0), drawn.count(1), drawn.count(2))
    return out


def rank(votes: dict[str, tuple[int, int, int]]) -> dict[str, list[float]]:
    """Return arena-rank's ratings and sandwich intervals, as logits with the mean 0."""
    import pandas as pd
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    rows = []
    for pair, counts in votes.items():
        a, b = pair.split(",")
        for winner, n in zip(("model_a", "tie", "model_b"), counts, strict=True):
            rows += [{"model_a": a, "model_b": b, "winner": winner}] * n
    data = PairDataset.from_pandas(pd.DataFrame(rows))
    model = BradleyTerry(n_competitors=len(data.competitors))
    found = model.compute_ratings_and_cis(data, significance_level=0.05)
    order = sorted(range(len(data.competitors)), key=lambda i: int(data.competitors[i]))
    keys = ("ratings", "rating_lower", "rating_upper")
    logits = {k: [(float(found[k][i]) - model.init_rating) / model.alpha for i in order] for k in keys}
    mean = sum(logits["ratings"]) / len(order)
    return {k: [round(v - mean, 6) for v in values] for k, values in logits.items()}


def main(path: str) -> None:
    """Write the fixture."""
    studies = {"table4": TABLE4, "six systems": simulate(1, 6, 60), "ten systems": simulate(2, 10, 25)}
    cases = [{"name": name, "votes": votes, **rank(votes)} for name, votes in studies.items()]
    found = {
        "made_with": f"arena-rank {version('arena-rank')}",
        "by": "scripts/oracle_arena_rank.py",
        "cases": cases,
    }
    Path(path).write_text(json.dumps(found) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

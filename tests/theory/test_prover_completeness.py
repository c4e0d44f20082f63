"""The reduced search against the unreduced linear program: the same verdict on random problems."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from theory import Diagram, parse_statement, prove

NAMES = ("A", "B", "C", "D", "E")
CLEAR = 1e-6  # far above the solver's tolerance of 1e-9 for data of size 1


def subsets(names):
    return [frozenset(c) for k in range(1, len(names) + 1) for c in combinations(names, k)]


def full_program_proves(names, diagram, given, relation):
    """Minimise the gap over all polymatroids with H <= 1 under the local Markov property and the givens.

    None where floating point is too close to call.
    """
    position = {subset: i for i, subset in enumerate(subsets(names))}

    def row(pairs):
        vector = np.zeros(len(position))
        for subset, c in pairs:
            if subset:
                vector[position[frozenset(subset)]] += float(c)
        return vector

    def information(x, y, w):
        return row([({*x, *w}, 1), ({*y, *w}, 1), (w, -1), ({*x, *y, *w}, -1)])

    above = [row([(names, 1), (set(names) - {v}, -1)]) for v in names]
    for a, b in combinations(names, 2):
        rest = [v for v in names if v not in (a, b)]
        above += [information({a}, {b}, set(w)) for k in range(len(rest) + 1) for w in combinations(rest, k)]
    equal = []
    if diagram is not None:
        for i, v in enumerate(diagram.order):
            parents = set(diagram.parents(v))
            before = set(diagram.order[:i]) - parents
            if before:
                equal.append(information({v}, before, parents))
            if v in diagram.deterministic:
                equal.append(row([({v, *parents}, 1), (parents, -1)]))
    for other in given:
        vector = row(other.gap.entropies().items())
        (equal if other.operator == "==" else above).append(vector)
    answer = linprog(
        row(relation.gap.entropies().items()),
        A_ub=-np.array(above),
        b_ub=np.zeros(len(above)),
        A_eq=np.array(equal) if equal else None,
        b_eq=np.zeros(len(equal)) if equal else None,
        bounds=(0, 1),
        method="highs",
    )
    assert answer.status == 0
    return None if -CLEAR < answer.fun < -1e-9 else answer.fun > -CLEAR


def random_term(rng, names):
    roles = rng.permutation(len(names))
    x, y, w = (
        [names[i] for i in roles[a:b]]
        for a, b in ((0, 1), (1, 1 + rng.integers(1, 3)), (3, 3 + rng.integers(3)))
    )
    bar = f"|{','.join(w)}" if w else ""
    if rng.random() < 0.3:
        return f"H({','.join(x + y)}{bar})"
    return f"I({','.join(x)};{','.join(y)}{bar})"


def random_problem(seed):
    rng = np.random.default_rng(seed)
    names = NAMES[: int(rng.integers(4, 6))]
    diagram = None
    if rng.random() < 0.75:
        order = rng.permutation(names)
        edges = [(str(a), str(b)) for a, b in combinations(order, 2) if rng.random() < 0.45]
        children = sorted({b for _, b in edges})
        fixed = [v for v in children if rng.random() < 0.3]
        diagram = Diagram(edges, variables=names, deterministic=fixed)
    kinds = ("{} == 0", "H({a}|{b}) == 0", "{} <= {}", "2 {} == {} + {}")
    given = []
    for _ in range(int(rng.integers(3))):
        a, b = rng.choice(names, size=2, replace=False)
        terms = [random_term(rng, names) for _ in range(3)]
        given.append(kinds[rng.integers(len(kinds))].format(*terms, a=a, b=b))
    left = " + ".join(f"{rng.integers(1, 4)} {random_term(rng, names)}" for _ in range(rng.integers(1, 4)))
    right = " + ".join(f"{rng.integers(1, 3)} {random_term(rng, names)}" for _ in range(rng.integers(1, 3)))
    return names, diagram, tuple(given), f"{left} >= {right}"


@pytest.mark.parametrize("block", range(5))
def test_the_reduced_search_decides_like_the_full_program(block):
    verdicts = []
    for seed in range(25 * block, 25 * (block + 1)):
        names, diagram, given, text = random_problem(seed)
        relations = [relation for other in given for relation in parse_statement(other)]
        expected = full_program_proves(names, diagram, relations, parse_statement(text).relations[0])
        if expected is None:
            continue
        result = prove(text, diagram=diagram, given=given, counterexample=False)
        assert (result.verdict == "proved") == expected, (seed, text, str(diagram), given, str(result))
        verdicts.append(expected)
    assert len(verdicts) > 20
    assert any(verdicts)
    assert not all(verdicts)

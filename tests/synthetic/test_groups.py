from itertools import product

import numpy as np
import pytest
from sympy.combinatorics.named_groups import DihedralGroup, SymmetricGroup

from synthetic.groups import (
    Action,
    FiniteGroup,
    cyclic,
    dihedral,
    direct_product,
    group_from_dict,
    group_to_dict,
    parse_group,
    symmetric,
    symmetric_action_table,
    trivial,
)

GROUPS = [
    trivial(),
    cyclic(1),
    cyclic(2),
    cyclic(6),
    dihedral(1),
    dihedral(2),
    dihedral(4),
    dihedral(5),
    symmetric(1),
    symmetric(3),
    symmetric(4),
    direct_product(cyclic(2), cyclic(4)),
    cyclic(3) * dihedral(3),
]


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_group_laws_hold_for_all_elements(group):
    g = group.elements
    left = group.table[group.table]  # (gh)k
    right = group.table[:, group.table]  # g(hk)
    assert np.array_equal(left, right)
    assert np.array_equal(group.multiply(group.identity, g), g)
    assert np.array_equal(group.multiply(g, group.identity), g)
    assert np.array_equal(group.multiply(g, group.inverse(g)), np.full(group.order, group.identity))
    assert np.array_equal(group.multiply(group.inverse(g), g), np.full(group.order, group.identity))
    h = np.roll(g, 1)
    assert np.array_equal(
        group.inverse(group.multiply(g, h)), group.multiply(group.inverse(h), group.inverse(g))
    )


def test_symmetric_products_compose_permutations():
    group, images = symmetric(4), symmetric_action_table(4)
    for g, h in product(range(0, 24, 5), range(24)):
        composed = [images[g][images[h][i]] for i in range(4)]
        assert images[group.multiply(g, h)].tolist() == composed


def test_dihedral_relations():
    group = dihedral(5)
    r, s = 1, 5
    assert group.multiply(s, r) == group.multiply(group.inverse(r), s)
    assert group.element_orders[r] == 5
    assert group.element_orders[s] == 2


@pytest.mark.parametrize(
    ("group", "oracle"),
    [(dihedral(6), DihedralGroup(6)), (symmetric(4), SymmetricGroup(4)), (symmetric(5), SymmetricGroup(5))],
    ids=["dihedral(6)", "symmetric(4)", "symmetric(5)"],
)
def test_orders_and_classes_agree_with_sympy(group, oracle):
    assert group.order == oracle.order()
    assert group.is_abelian == oracle.is_abelian
    ours = sorted(group.element_orders.tolist())
    assert ours == sorted(element.order() for element in oracle.elements)


@pytest.mark.parametrize(
    ("group", "count"),
    [(cyclic(12), 6), (dihedral(4), 10), (symmetric(3), 6), (symmetric(4), 30), (cyclic(2) * cyclic(2), 5)],
    ids=lambda v: getattr(v, "name", str(v)),
)
def test_number_of_subgroups_is_the_known_one(group, count):
    assert len(group.subgroups) == count
    assert all(group.is_subgroup(k) and group.order % len(k) == 0 for k in group.subgroups)


@pytest.mark.parametrize("group", [dihedral(4), symmetric(4), cyclic(12)], ids=lambda g: g.name)
def test_cosets_partition_into_translates(group):
    for subgroup in group.subgroups:
        for cosets, translate in (
            (group.left_cosets(subgroup), lambda g, k=subgroup: group.multiply(g, k)),
            (group.right_cosets(subgroup), lambda g, k=subgroup: group.multiply(k, g)),
        ):
            assert np.bincount(cosets).tolist() == [len(subgroup)] * group.index(subgroup)
            for g in range(group.order):
                assert set(np.flatnonzero(cosets == cosets[g])) == set(translate(g).tolist())


def test_quotient_projection_is_a_homomorphism_exactly_for_normal_subgroups():
    group = symmetric(4)
    normal = [k for k in group.subgroups if group.is_normal(k)]
    assert sorted(len(k) for k in normal) == [1, 4, 12, 24]
    for subgroup in normal:
        quotient, projection = group.quotient(subgroup)
        images = quotient.multiply(projection[:, None], projection[None, :])
        assert np.array_equal(images, projection[group.table])
        assert set(np.flatnonzero(projection == quotient.identity)) == set(subgroup)
    not_normal = next(k for k in group.subgroups if not group.is_normal(k))
    with pytest.raises(ValueError, match="needs a normal subgroup"):
        group.quotient(not_normal)


@pytest.mark.parametrize("group", [dihedral(3), symmetric(4)], ids=lambda g: g.name)
def test_orbit_stabiliser_theorem_and_conjugate_stabilisers(group):
    for subgroup in group.subgroups:
        action = group.coset_action(subgroup)
        assert action.stabiliser(0) == subgroup
        assert len(action.orbits) == 1
        for g in range(group.order):
            x = int(action.apply(g, 0))
            assert len(action.orbit(x)) * len(action.stabiliser(x)) == group.order
            assert action.stabiliser(x) == group.conjugate(subgroup, g)


def test_actions_compose_left_to_right_like_products():
    group = dihedral(4)
    action = group.coset_action(group.generate([4]))
    g, h, x = np.meshgrid(group.elements, group.elements, np.arange(action.points), indexing="ij")
    assert np.array_equal(action.apply(group.multiply(g, h), x), action.apply(g, action.apply(h, x)))


def test_trivial_and_regular_actions():
    group = cyclic(5)
    assert group.regular_action().orbits == ((0, 1, 2, 3, 4),)
    still = group.trivial_action(3)
    assert still.orbit_of.tolist() == [0, 1, 2]
    assert still.stabiliser(2) == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_names_parse_back(group):
    assert parse_group(group.name) == group


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_json_round_trip(group):
    assert group_from_dict(group_to_dict(group)) == group
    relabelled = FiniteGroup(group.table, name="mine")
    assert group_from_dict(group_to_dict(relabelled)) == group


def test_equal_groups_hash_alike_and_others_differ():
    assert cyclic(6) == cyclic(6)
    assert hash(cyclic(6)) == hash(parse_group("cyclic(6)"))
    assert cyclic(6) != symmetric(3)
    assert symmetric(3) != cyclic(4)


NOT_ASSOCIATIVE = [  # a loop of order 5: Latin square with identity that is no group
    [0, 1, 2, 3, 4],
    [1, 0, 3, 4, 2],
    [2, 4, 0, 1, 3],
    [3, 2, 4, 0, 1],
    [4, 3, 1, 2, 0],
]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[0, 1]], "square"),
        ([], "square"),
        ([[0.0]], "integers"),
        ([[0, 1], [1, 2]], "closure"),
        ([[1, 1], [1, 1]], "identity"),
        ([[0, 1], [1, 1]], "inverse"),
        (NOT_ASSOCIATIVE, "associative"),
    ],
    ids=["not square", "empty", "floats", "not closed", "no identity", "no inverse", "not associative"],
)
def test_bad_tables_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        FiniteGroup(table)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cyclic(0), r"cyclic\(n\) needs n of at least 1"),
        (lambda: cyclic(5000), "at most 4096"),
        (lambda: dihedral(0), "at least 1"),
        (lambda: symmetric(6), "between 1 and 5"),
        (lambda: symmetric(5) * symmetric(5), "at most 4096"),
        (lambda: direct_product(), "at least one group"),
        (lambda: parse_group("cyclic"), "cannot read the group 'cyclic'"),
        (lambda: parse_group("klein(4)"), "cannot read the group"),
        (lambda: cyclic(4).multiply(4, 0), r"elements of cyclic\(4\) are 0\.\.3"),
        (lambda: cyclic(4).multiply(0.5, 0), "integers"),
        (lambda: cyclic(4).require_subgroup([2]), "lacks the identity"),
        (lambda: cyclic(4).require_subgroup([0, 1], argument="stabiliser"), "stabiliser must be a subgroup"),
        (lambda: group_from_dict({"name": "mine"}), "a name or an object with a table"),
        (lambda: FiniteGroup([[0]], labels=["a", "b"]), "labels"),
        (lambda: Action(cyclic(2), [[0, 1]]), "shape"),
        (lambda: Action(cyclic(2), [[0, 1], [0, 2]]), "images must stay"),
        (lambda: Action(cyclic(2), [[1, 0], [0, 1]]), "identity must leave"),
        (lambda: Action(cyclic(2), [[0, 1, 2], [1, 2, 0]]), "breaks"),
        (lambda: cyclic(2).regular_action().apply(0, 2), r"points are 0\.\.1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()

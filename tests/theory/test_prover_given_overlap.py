"""Given mutual informations whose sides share variables: more than an independence, and no crash."""

import pytest

from theory import check, prove


@pytest.mark.parametrize(
    ("statement", "given"),
    [
        ("H(A) == 0", "I(A,B;A,C) == 0"),
        ("H(A|D) == 0", "I(A,B;A,C|D) == 0"),
        ("I(B;C) == 0", "I(A,B;A,C) <= 0"),
        ("H(A) == 0", "H(A,B) + H(A,C) == H(A,B,C)"),
    ],
)
def test_what_follows_is_proved(statement, given):
    assert check(prove(statement, given=given).certificate)


def test_what_does_not_follow_is_refuted():
    assert prove("H(A) == 0", given="I(A,B;A,C|D) == 0").verdict == "refuted"

"""Errors reach other processes as they are: with their class, their message and what they hold."""

import pickle

import pytest

from theory import parse_statement, prove, repair


def raised(call):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # each of its own class
        call()
    return caught.value


@pytest.mark.parametrize(
    "call",
    [
        lambda: parse_statement("H(A) >="),
        lambda: prove("I(A;B) >= 0", given=["H(A) > 0", "H(A) == 0"]),
        lambda: repair("I(A;B) >= 0"),
    ],
    ids=["ParseError", "ContradictionError", "NothingToRepairError"],
)
def test_an_error_is_the_same_in_another_process(call, request):
    error = raised(call)
    assert type(error).__name__ == request.node.callspec.id
    again = pickle.loads(pickle.dumps(error))  # written two words before
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__

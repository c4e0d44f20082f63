"""Statements with known answers, by kind: the table that the prover is judged by.

Every answer is known from theory (the reason is given with each), not from running the prover.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from theory import ESSL, Diagram

CHAIN = Diagram.parse("W->X->Y->Z")
FORK = Diagram.parse("Y->X, Y->Z")
COLLIDER = Diagram.parse("X->Y, Z->Y")
XOR = Diagram.parse("X=>Y, Z=>Y")
SEPARATE = Diagram.parse("C->X1, A->X2, X1->Z, X2->Z")
LONG = Diagram.parse("->".join(f"X{i}" for i in range(1, 13)))
TRIANGLE = Diagram.parse("U->A, U->B, V->B, V->C, W->A, W->C", name="triangle")

ZHANG_YEUNG = "I(A;B) + I(A;C,D) + 3 I(C;D|A) + I(C;D|B) >= 2 I(C;D)"
INGLETON = "I(A;B) <= I(A;B|C) + I(A;B|D) + I(C;D)"


def _latin(*names: str) -> tuple[str, ...]:
    """Rows, columns and the symbols of mutually orthogonal Latin squares: any two determine the rest."""
    pairs = list(combinations(names, 2))
    independent = [f"{a} _||_ {b}" for a, b in pairs]
    determined = [f"H({','.join(n for n in names if n not in pair)}|{','.join(pair)}) == 0" for pair in pairs]
    return (*independent, *determined)


@dataclass(frozen=True)
class Case:
    """A statement with its known verdict.

    Args:
        id: A readable name.
        text: The statement.
        verdict: `proved`, `refuted` or `unknown`.
        why: How the answer is known.
        diagram: The diagram, if any.
        given: Given statements.
        exists: Whether it is existential.
        non_shannon: Whether Zhang and Yeung's inequality may be used.
    """

    id: str
    text: str
    verdict: str
    why: str
    diagram: Diagram | None = None
    given: tuple[str, ...] = ()
    exists: bool = False
    non_shannon: bool = False


def _han(n: int, factor: int) -> str:
    names = [f"X{i}" for i in range(n)]
    left = " + ".join(f"H({','.join(x for x in names if x != y)})" for y in names)
    return f"{left} >= {factor} H({','.join(names)})"


SHANNON = (
    Case("entropy", "H(A) >= 0", "proved", "entropies are not negative"),
    Case("conditional-entropy", "H(A|B) >= 0", "proved", "conditional entropies are not negative"),
    Case("conditioning-reduces", "H(A|B,C) <= H(A|B) <= H(A)", "proved", "conditioning reduces entropy"),
    Case("subadditivity", "H(A,B,C) <= H(A) + H(B) + H(C)", "proved", "the independence bound"),
    Case("submodularity", "H(A,C) + H(B,C) >= H(A,B,C) + H(C)", "proved", "I(A;B|C) >= 0"),
    Case("chain-rule", "I(A;B,C) == I(A;B) + I(A;C|B)", "proved", "the chain rule"),
    Case("co-information", "I(A;B;C) == I(A;B) - I(A;B|C)", "proved", "the definition of co-information"),
    Case("symmetry", "I(A;B|C) == I(B;A|C)", "proved", "mutual information is symmetric"),
    Case("self-information", "I(A;A|B) == H(A|B)", "proved", "self-information is entropy"),
    Case("information-bound", "I(A;B|C) <= H(A|C)", "proved", "information is at most entropy"),
    Case("han-4", _han(4, 3), "proved", "Han (1978)"),
    Case("han-7", _han(7, 6), "proved", "Han (1978)"),
    Case(
        "shearer",
        "H(A,B) + H(B,C) + H(C,A) >= 2 H(A,B,C)",
        "proved",
        "Shearer's lemma (Chung et al. 1986)",
    ),
    Case(
        "pairs",
        "I(A;B) + I(C;D) <= I(A,C;B,D) + I(A;C)",
        "proved",
        "I(A,C;B,D) >= I(A;B) + I(C;B,D|A), and I(C;B,D|A) >= I(C;D|A) >= I(C;D) - I(A;C)",
    ),
    Case("fano-shape", "H(A|B) + H(B|C) >= H(A|C)", "proved", "the triangle inequality of H(A|B)"),
    Case("distance", "H(A|C) + H(C|A) <= H(A|B) + H(B|A) + H(B|C) + H(C|B)", "proved", "a metric"),
    Case("P1", "I(A;U,W) - I(A;U) == I(A;W|U) <= H(A|U)", "proved", "the theory"),
    Case("M1", "I(A,B;C|Z) == I(A;C|Z) + I(B;C|Z,A) >= I(A;C|Z)", "proved", "the theory"),
    Case("G1", "H(C|Z) <= H(C|Z,A) + H(A|Z)", "proved", "the theory"),
    Case("G2", "I(C;Z) >= I(C;Z|A) - H(A|Z)", "proved", "the theory"),
    Case("fractions", "1/3 H(A,B) <= 1/3 H(A) + 0.5 H(B)", "proved", "subadditivity with slack"),
)

UNDER_FACTS = (
    Case("E1", "I(A;Z|C) == I(A;Z) + I(A;C|Z)", "proved", "the theory", ESSL),
    Case("E2", "I(A;Z|C) >= I(A;Z)", "proved", "the theory", ESSL),
    Case("E3", "I(C;Z|A) == I(C;Z) + I(A;C|Z)", "proved", "the theory", ESSL),
    Case("D1", "I(A;Z) <= I(A;X)", "proved", "the theory", ESSL),
    Case("D2", "I(A;Z|C) <= I(A;X|C)", "proved", "the theory", ESSL),
    Case("D3", "I(A;Z) + I(A;C|Z) <= I(A;X) + I(A;C|X)", "proved", "the theory", ESSL),
    Case("L1", "I(A;C|X) <= H(A|X) and I(A;C|X) <= H(C|X)", "proved", "the theory", ESSL),
    Case("L2", "I(A;C|X) == 0", "proved", "the theory", ESSL, ("H(A|X) == 0",)),
    Case("R1", "I(A;C|X1,X2) == 0", "proved", "the theory: no collider", SEPARATE),
    Case("R2", "I(A;C|X) <= I(A;R|X) == I(A;X|R) - I(A;X)", "proved", "the theory", ESSL),
    Case("P3", "I(A;C|X,S) <= H(A|X,S)", "proved", "the theory", ESSL),
    Case("P4", "I(A;Z|C,S) == I(A;Z) + I(A;C,S|Z)", "proved", "the theory", ESSL),
    Case("F1", "I(B;C|Z) >= I(A;C|Z)", "proved", "the theory", None, ("H(A|B) == 0",)),
    Case(
        "M1-independent",
        "I(A,B;Z|C) - I(A,B;Z) == I(A,B;C|Z)",
        "proved",
        "the theory",
        None,
        ("A,B _||_ C", "A _||_ B"),
    ),
    Case("V1", "I(A;Z) == 0 and I(A;C|Z) == 0", "proved", "the theory", ESSL, ("I(A;Z|R) == 0",)),
    Case("chain-4", "I(W;Z) <= I(X;Y)", "proved", "data processing", CHAIN),
    Case("chain-12", "I(X1;X12) <= I(X1;X2)", "proved", "data processing", LONG),
    Case("chain-12-inner", "I(X1;X12) <= I(X5;X6)", "proved", "data processing", LONG),
    Case("chain-entropy", "I(W;Z) <= H(X)", "proved", "data processing and I <= H", CHAIN),
    Case("fork", "I(X;Z) <= I(X;Y)", "proved", "a fork is a chain for entropies", FORK),
    Case("collider", "I(X;Z|Y) >= I(X;Z)", "proved", "X and Z are independent", COLLIDER),
    Case("deterministic", "H(Y) <= H(X) + H(Z)", "proved", "Y is a function of X and Z", XOR),
    Case("deterministic-equality", "I(X,Z;Y) == H(Y)", "proved", "Y is a function of X and Z", XOR),
    Case(
        "derived-function",
        "H(C|A) == 0",
        "proved",
        "functions compose",
        None,
        ("H(B|A) == 0", "H(C|B) == 0"),
    ),
    Case(
        "bijection",
        "I(A;C) == I(B;C)",
        "proved",
        "A and B determine each other",
        None,
        ("H(A|B) + H(B|A) == 0",),
    ),
    Case("given-inequality", "I(A;C) <= 2 H(C)", "proved", "transitivity", None, ("I(A;C) <= I(B;C)",)),
    Case("given-chain", "H(A) <= 3 H(C)", "proved", "transitivity", None, ("H(A) <= H(B) <= 3 H(C)",)),
    Case("given-strict", "H(A) > 0", "proved", "H(A) >= I(A;B) > 0", None, ("I(A;B) > 0",)),
    Case("given-upper-bound", "I(A;B|C) == 0", "proved", "I(A;B|C) <= 0", None, ("I(A;B|C) <= 0",)),
    Case("weak-union", "I(A;B|C) == 0", "proved", "the semi-graphoid axioms", None, ("A _||_ B,C",)),
    Case(
        "contraction",
        "A _||_ B,C",
        "proved",
        "the semi-graphoid axioms",
        None,
        ("A _||_ B", "A _||_ C | B"),
    ),
    Case(
        "triangle",
        "I(A;B) + I(A;C) <= H(A)",
        "proved",
        "hidden common causes of pairs only (Fritz 2012): needs the hidden variables",
        TRIANGLE,
    ),
    Case(
        "secret-sharing",
        "H(A) >= H(S)",
        "proved",
        "a share is at least as large as the secret (Karnin, Greene and Hellman 1983)",
        None,
        ("H(S|A,B) == 0", "I(S;A) == 0", "I(S;B) == 0"),
    ),
)

FALSE = (
    Case("D4", "I(A;C|Z) <= I(A;C|X)", "refuted", "the theory: X shows A and C, Z their xor", ESSL),
    Case("M2", "I(A,B;C|Z) >= I(A;C|Z) + I(B;C|Z)", "refuted", "the theory: A = B = C"),
    Case("P3-false", "I(A;C|X) <= I(A;C|X,S)", "refuted", "the theory", ESSL),
    Case("E2-without-diagram", "I(A;Z|C) >= I(A;Z)", "refuted", "A = C = Z"),
    Case("conditioning-increases", "I(A;B|C) <= I(A;B)", "refuted", "C = A xor B"),
    Case("collider-reversed", "I(X;Z|Y) <= I(X;Z)", "refuted", "Y = X xor Z", COLLIDER),
    Case("xor-function", "I(X;Z|Y) <= I(X;Z)", "refuted", "Y = X xor Z", XOR),
    Case("pairwise-is-not-mutual", "I(A;B,C) == 0", "refuted", "C = A xor B", None, ("A _||_ B", "A _||_ C")),
    Case("intersection", "A _||_ B,C", "refuted", "A = B = C", None, ("A _||_ B | C", "A _||_ C | B")),
    Case("equality", "H(A) == H(B)", "refuted", "A constant, B not"),
    Case("strict", "H(A) > 0", "refuted", "A may be constant"),
    Case("positive-co-information", "I(A;B;C) >= 0", "refuted", "C = A xor B"),
    Case("reversed-han", _han(5, 5), "refuted", "independent variables: 20 against 25"),
    Case("one-part-false", "H(A) >= 0 and H(A) >= H(B)", "refuted", "the second part: A constant"),
    Case("chain-reversed", "I(W;Z) >= I(X;Y)", "refuted", "W constant", CHAIN),
    Case("synergy-needs-loss", "I(A;C|X) >= 1/2 H(A|X)", "refuted", "C constant", ESSL),
    Case("ingleton", INGLETON, "refuted", "four atoms (Matus and Studeny 1995); no linear code violates it"),
    Case(
        "triangle-tight",
        "I(A;B) + I(A;C) <= 3/4 H(A)",
        "refuted",
        "A = (U, W), B = U, C = W give equality with 1",
        TRIANGLE,
    ),
)

WHISKER = (
    Case("peer-1e-8", "I(A;Z|C) >= (1 + 1e-8) I(A;Z)", "refuted", "C constant, Z = A", ESSL),
    Case("peer-entropy", "H(X,Y) >= (1 + 1e-8) H(X)", "refuted", "Y constant"),
    Case("whisker-1e-12", "H(X,Y) >= (1 + 1e-12) H(X)", "refuted", "Y constant"),
    Case("whisker-1e-30", "I(A;B) <= (1 - 1e-30) H(A)", "refuted", "B = A"),
    Case("whisker-shearer", "H(A,B) + H(B,C) + H(C,A) >= 2.0000001 H(A,B,C)", "refuted", "independent bits"),
    Case("true-by-1e-12", "H(X,Y) >= (1 - 1e-12) H(X)", "proved", "weaker than H(X,Y) >= H(X)"),
    Case("true-by-1e-30", "I(A;B) <= (1 + 1e-30) H(A)", "proved", "weaker than I(A;B) <= H(A)"),
    Case(
        "shearer-by-1e-12",
        "H(A,B) + H(B,C) + H(C,A) >= (2 - 1e-12) H(A,B,C)",
        "proved",
        "weaker than Shearer's lemma, by less than floating point sees",
    ),
    Case("han-by-1e-20", _han(4, 3).replace(">= 3", ">= (3 - 1e-20)"), "proved", "weaker than Han's"),
    Case("han-against-1e-20", _han(4, 3).replace(">= 3", ">= (3 + 1e-20)"), "refuted", "independent bits"),
    Case(
        "two-scales",
        "1e-200 H(A,B,C) + 1e-200 H(A,B,D) + H(A) >= 1e-200 H(A,B) + 1e-200 H(A,B,C,D)",
        "proved",
        "H(A) >= 0 plus submodularity times 1e-200",
    ),
    Case("true-large", "123456789123 H(X,Y) >= 123456789122 H(X)", "proved", "weaker than H(X,Y) >= H(X)"),
    Case("chain-whisker", "I(W;Z) <= 0.99999999 I(X;Y)", "refuted", "W = X = Y = Z", CHAIN),
)

LARGER_ALPHABETS = (
    Case(
        "latin-squares",
        "H(A) == 0",
        "refuted",
        "orthogonal Latin squares exist of order 3 and none of order 2",
        None,
        _latin("A", "B", "C", "D"),
    ),
    Case(
        "two-symbols",
        "I(A;C|Z) <= I(A;C|X)",
        "refuted",
        "D4 again: X must tell apart four states to show both A and C",
        Diagram.parse("A->X, C->X, X->Z"),
    ),
    Case(
        "four-states",
        "H(B) == 0",
        "refuted",
        "independent functions A and B of X, A not constant: B is constant if X is binary",
        None,
        ("A _||_ B", "H(A,B|X) == 0", "H(A) > 0"),
    ),
    Case(
        "three-latin-squares",
        "H(A) == 0",
        "refuted",
        "three mutually orthogonal Latin squares exist of orders 4 and 5, not of orders 2 and 3",
        None,
        _latin("A", "B", "C", "D", "E"),
    ),
)

NOT_SHANNON = (
    Case("zhang-yeung", ZHANG_YEUNG, "unknown", "Zhang and Yeung (1998): true, and not of Shannon type"),
    Case("zhang-yeung-used", ZHANG_YEUNG, "proved", "Zhang and Yeung (1998)", non_shannon=True),
    Case(
        "zhang-yeung-conditional",
        "I(A;B|E) + I(A;C,D|E) + 3 I(C;D|A,E) + I(C;D|B,E) >= 2 I(C;D|E)",
        "proved",
        "holds given each value of E",
        non_shannon=True,
    ),
    Case(
        "zhang-yeung-weaker",
        "I(A;B) + I(A;C,D) + 3 I(C;D|A) + I(C;D|B) + I(A;D) >= 2 I(C;D)",
        "proved",
        "Zhang and Yeung's inequality with a term added",
        non_shannon=True,
    ),
    Case("ingleton-stays-false", INGLETON, "refuted", "four atoms", non_shannon=True),
)

TRIVIAL = (
    Case("same", "H(A) == H(A)", "proved", "an identity"),
    Case("cancelled", "H(A) - H(A) + H(B) >= H(B)", "proved", "an identity"),
    Case("rearranged", "H(A) + H(B) >= H(B) + H(A)", "proved", "an identity"),
    Case("nothing-strict", "H(A) > H(A)", "refuted", "0 > 0 is false"),
    Case("repeated", "H(A) >= 0 and H(A) >= 0", "proved", "the same twice"),
    Case("restated", "I(A;B) <= H(C)", "proved", "given", None, ("I(A;B) <= H(C)",)),
)

EXISTENTIAL = (
    Case("E4", "I(A;C) == 0 and I(A;C|X) > 0", "proved", "the theory: X = A xor C", ESSL, exists=True),
    Case(
        "U1",
        "H(A|Z) == 0 and H(A) > 0 and I(C;X) > 0 and I(C;Z) == 0",
        "proved",
        "the theory: Z = A",
        ESSL,
        exists=True,
    ),
    Case("dependent-causes", "I(A;C) > 0", "refuted", "A and C are d-separated", ESSL, exists=True),
    Case("processing-gains", "I(A;Z) > I(A;X)", "refuted", "data processing", ESSL, exists=True),
    Case(
        "synergy-exceeds-loss",
        "I(A;C|X) > H(A|X)",
        "refuted",
        "information is at most entropy",
        ESSL,
        exists=True,
    ),
    Case("ingleton-violated", "I(A;B) > I(A;B|C) + I(A;B|D) + I(C;D)", "proved", "four atoms", exists=True),
    Case(
        "exists-under-facts",
        "I(A;C|X) > 0",
        "refuted",
        "lossless: L2",
        ESSL,
        ("H(A|X) == 0",),
        exists=True,
    ),
)

CASES = (
    *SHANNON,
    *UNDER_FACTS,
    *FALSE,
    *WHISKER,
    *LARGER_ALPHABETS,
    *NOT_SHANNON,
    *TRIVIAL,
    *EXISTENTIAL,
)

MALFORMED = {
    "empty": ("", "expected a comparison|expected a number"),
    "no-comparison": ("H(A)", "expected a comparison"),
    "infinite-coefficient": ("I(A;Z) <= inf H(A)", "expected H\\(..\\) or I\\(..\\)"),
    "overflowing-coefficient": ("1e999 H(A) >= 0", "exponent up to"),
    "nan": ("nan >= H(A)", "expected H\\(..\\) or I\\(..\\)"),
    "constant": ("H(A) >= 1", "the constant 1"),
    "product": ("H(A) H(B) >= 0", "not linear"),
    "division": ("H(A) / 0 >= 0", "divide by a number"),
    "unclosed": ("H(A >= 0", "expected '\\)'"),
    "lonely-information": ("I(A) >= 0", "at least two slots"),
    "code": ("__import__('os') >= 0", "expected H|unexpected character"),
    "nothing-left": ("0 H(A) >= 0", "at least one H"),
    "trailing": ("H(A) >= 0 or H(B) >= 0", "expected the end"),
}

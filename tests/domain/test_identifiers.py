"""What is an id."""

from __future__ import annotations

import pytest

from evcharge.domain.identifiers import is_id


@pytest.mark.parametrize("text", ["EV-001", "a", "x" * 64, "DE*8EM.ABC:1~2+3@site_4"])
def test_the_contracts_characters_make_an_id(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize(
    "text", ["", "x" * 65, "a b", "a/b", "EV-001\n", "é", "\N{SUPERSCRIPT TWO}"]
)
def test_anything_else_is_no_id(text: str) -> None:
    assert not is_id(text)

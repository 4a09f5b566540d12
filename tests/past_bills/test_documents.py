"""Documents in a file, while they are audited."""

from __future__ import annotations

from evcharge.past_bills.documents import Documents


def test_a_document_is_taken_once() -> None:
    with Documents() as documents:
        assert documents.add("a", b'{"n":1}')
        assert documents.add("b", b'{"n":2}')
        assert documents.take("a") == {"n": 1}
        assert documents.take("a") is None
        assert documents.look("a") == {"n": 1}, "taken or not"
        assert list(documents.rest()) == [{"n": 2}]
        assert documents.look("c") is None


def test_of_two_with_one_id_the_first_is_kept() -> None:
    with Documents() as documents:
        assert documents.add("a", b'{"n":1}')
        assert not documents.add("a", b'{"n":2}')
        assert documents.take("a") == {"n": 1}


def test_one_can_be_added_between_two_that_are_taken() -> None:
    with Documents() as documents:
        documents.add("a", b'{"n":1}')
        documents.add("b", b'{"n":2}')
        assert documents.take("a") == {"n": 1}
        documents.add("c", b'{"n":3}')
        documents.forget("b")
        documents.forget("unknown")
        assert documents.look("b") is None
        assert documents.take("c") == {"n": 3}
        assert list(documents.rest()) == []

"""Rejected records: how they are kept (``headers``), shown (``listing``), sent again (``redrive``)."""

from evcharge.dead_letters.headers import DeadLetterOrigin, dead_letter_headers, parse_headers

__all__ = ["DeadLetterOrigin", "dead_letter_headers", "parse_headers"]

"""The tables: one file each, its docstring names key, value and the only writer.

Rows are bytes to bytes. A key starts with one letter that says what kind of row it is, ids are
separated by a zero byte (which no id contains), values are MessagePack arrays whose first element is
the version of the row's form. The engine's own rows start with a zero byte.
"""

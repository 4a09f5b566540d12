"""Rows on local storage: RocksDB in the application, memory in tests.

Below the engine: used for the tables' partitions and for the register.
"""

"""RocksDB for dozens of small databases in one process on a small machine (``docs/adr/0007``)."""

from __future__ import annotations

import contextlib
import functools
import resource

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DataBlockIndexType,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    WriteBufferManager,
    WriteOptions,
)

BLOCK_CACHE_BYTES = 64 << 20
"""Blocks read from files, their indexes and filters: all memory for reading, of all databases."""

WRITE_BUFFERS_BYTES = 80 << 20
"""Rows not yet in files, of all databases. With a third of it compaction costs six times as much; all
of it has to be read from the logs after a crash."""

_OPEN_FILES = 64
"""Of one database; others are opened again when they are read."""

# Of the whole process: RocksDB's defaults are one for each database.
_BLOCK_CACHE = Cache(BLOCK_CACHE_BYTES)
_WRITE_BUFFERS = WriteBufferManager(WRITE_BUFFERS_BYTES, False)


def database_options() -> Options:
    """Return the options of one database."""
    _allow_open_files()
    table = BlockBasedOptions()
    table.set_block_cache(_BLOCK_CACHE)
    # Outside of the cache, indexes and filters would grow with the number of rows.
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    table.set_bloom_filter(10, block_based=False)
    # Rows are read one by one: what is decompressed and searched around them is for nothing.
    table.set_block_size(2 << 10)
    table.set_data_block_index_type(DataBlockIndexType.binary_and_hash())
    table.set_data_block_hash_ratio(0.75)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(table)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_manager(_WRITE_BUFFERS)
    options.set_write_buffer_size(16 << 20)
    options.set_memtable_whole_key_filtering(True)
    options.set_memtable_prefix_bloom_ratio(0.02)
    options.set_level_zero_file_num_compaction_trigger(8)
    # A filter is read whole: files are kept small so that it costs little to read one again.
    options.set_target_file_size_base(8 << 20)
    options.set_max_open_files(_OPEN_FILES)
    # A write that the system lost in a power cut ends the log there: local rows stay a prefix.
    options.set_wal_recovery_mode(DBRecoveryMode.point_in_time())
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(1 << 20)
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)
    return options


@functools.cache
def _allow_open_files() -> None:
    """Let this process open as many files as the system lets it, not only the usual 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = 65_536 if most == resource.RLIM_INFINITY else min(most, 65_536)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))


def unlogged() -> WriteOptions:
    """Return the options of writes that a crash may take back."""
    options = WriteOptions()
    # A property, whatever rocksdict's stub says.
    options.disable_wal = True  # type: ignore[assignment, method-assign]
    return options

"""Faust's transport over aiokafka, with chunks in place of single messages."""

from __future__ import annotations

from faust.transport.drivers.aiokafka import Transport

from evcharge.engine.consumer import ChunkConsumer


class ChunkTransport(Transport):
    """The stock transport with our consumer."""

    Consumer = ChunkConsumer

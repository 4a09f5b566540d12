"""Compiles the peer and says how it is started; the jars are pinned like those of the embedded Kafka."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from evcharge.broker.jars import JarSet
from evcharge.broker.java import find_java
from evcharge.errors import CommandError

HERE = Path(__file__).resolve().parent

HEAP = "1g"


def build(directory: Path) -> tuple[str, ...]:
    """Compile into a directory and return the command that runs the peer.

    Raises:
        CommandError: the compiler refused.
    """
    java = str(find_java().executable)
    jars = JarSet.load(HERE / "jars.lock.json").paths()
    class_path = os.pathsep.join(map(str, jars))
    compiled = subprocess.run(
        [
            *(java, "-cp", class_path, "org.eclipse.jdt.internal.compiler.batch.Main"),
            *("-17", "-nowarn", "-cp", class_path, "-d", str(directory)),
            *map(str, sorted(HERE.rglob("*.java"))),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if compiled.returncode != 0:
        raise CommandError(f"Kafka Streams' peer could not be compiled:\n{compiled.stderr}")
    return (
        java,
        f"-Xmx{HEAP}",
        # What the JVM itself chooses on one core; said so that it is the same everywhere.
        "-XX:+UseSerialGC",
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}",
        *("-cp", os.pathsep.join([str(directory), class_path]), "job.Main"),
    )

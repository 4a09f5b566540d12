"""``python -m evcharge.broker.lock [FILE]`` writes a lock file's jars anew from its roots.

To move to another Kafka: change ``name`` and ``roots`` in jars.lock.json, run this, read the diff.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from jgo.maven import Dependency, MavenContext

from evcharge.broker.jars import KAFKA_LOCK_FILE


def relock(lock_file: Path) -> None:
    """Resolve the roots, fetch every jar once and write coordinates and hashes, sorted."""
    data = json.loads(lock_file.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as repository:
        context = MavenContext(repo_cache=Path(repository))
        jars: dict[str, dict[str, str]] = {}
        # Each root is resolved alone: together, jgo lets the dependency management of one root's
        # parent override what the other asks for (log4j's would bring kafka-clients 3.9.1).
        for root in data["roots"]:
            for dependency in _closure(context, root):
                artifact = dependency.artifact
                project = f"{artifact.groupId}:{artifact.artifactId}"
                digest = hashlib.sha256(artifact.resolve().read_bytes()).hexdigest()
                # The first root that brings a library decides its version.
                entry = {"coordinate": f"{project}:{artifact.version}", "sha256": digest}
                jars.setdefault(project, entry)
    data["jars"] = [jars[project] for project in sorted(jars)]
    lock_file.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _closure(context: MavenContext, root: str) -> list[Dependency]:
    dependency = context.create_dependency(root)
    resolved, transitive = context.resolver.resolve([dependency])
    return [*resolved, *transitive]


if __name__ == "__main__":
    relock(Path(sys.argv[1]) if len(sys.argv) > 1 else KAFKA_LOCK_FILE)

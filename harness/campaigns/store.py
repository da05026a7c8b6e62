"""The rows of a campaign on disk: one Parquet file for each batch, written whole or not at all, never changed.

A file is called ``<cell's key>-<first>-<last>.parquet``. What is there need not be computed again; a campaign that was
killed goes on from what is there. Cells are keyed by everything that decides their rows, so a folder may hold rows of
more plans than one: a plan reads its own and leaves the others alone.
"""

import fcntl
import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.campaigns.cells import Batch, Cell
from harness.campaigns.workers import Done
from harness.errors import CampaignError, Problem
from harness.reports.write import require_folder

RESULTS = pa.schema(
    [
        pa.field("cell", pa.string(), nullable=False),
        pa.field("replicate", pa.int32(), nullable=False),
        pa.field("seed", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("attribution", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("distance", pa.float64()),
        pa.field("digits", pa.float64()),
        pa.field("worst_ratio", pa.float64()),
        pa.field("worst_quantity", pa.string()),
        pa.field("compared", pa.int32()),
        pa.field("disagreeing", pa.int32()),
        pa.field("left_log_likelihood", pa.float64()),
        pa.field("right_log_likelihood", pa.float64()),
        pa.field("better", pa.string()),
        pa.field("covered_left", pa.list_(pa.bool_())),
        pa.field("covered_right", pa.list_(pa.bool_())),
        pa.field("covered_t", pa.list_(pa.bool_())),
    ]
)
"""What depends on the plan alone, with the same versions of everything: equal bit by bit whoever computed it."""

CIRCUMSTANCES = pa.schema(
    [
        pa.field("left_seconds", pa.float64()),
        pa.field("right_seconds", pa.float64()),
        pa.field("retries", pa.int32()),
    ]
)
"""What depends on the machine and on what happened to it."""

SCHEMA = pa.schema([*RESULTS, *CIRCUMSTANCES])
_NAME = re.compile(r"(?P<key>[0-9a-f]{16})-(?P<first>\d{8})-(?P<last>\d{8})\.parquet")
_VERSIONS = b"versions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A folder of rows. Open it by `opened`, which keeps others out meanwhile."""

    folder: Path

    def append(self, done: Done) -> Path:
        """Write the rows of a batch as a file of its own, in one step."""
        path = self._path(done.batch)
        table = pa.Table.from_pylist(list(done.rows), schema=SCHEMA)
        versions = json.dumps(dict(done.versions), sort_keys=True)
        table = table.replace_schema_metadata({_VERSIONS: versions.encode()})
        partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
        try:
            pq.write_table(table, partial, compression="zstd")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    def has(self, batch: Batch) -> bool:
        """Tell whether a batch is there and whole; a damaged file is removed, so that it is computed again."""
        path = self._path(batch)
        if not path.exists():
            return False
        try:
            table = pq.read_table(path)
            numbers = table.column("replicate").to_pylist() if table.schema.equals(SCHEMA) else []
            whole = numbers == list(range(batch.first, batch.last))
        except (pa.ArrowException, OSError):
            whole = False
        if not whole:
            path.unlink()
        return whole

    def read(self, batch: Batch) -> list[dict[str, Any]]:
        """Return the rows of a batch that is there, in the order of replicates."""
        return list(pq.read_table(self._path(batch), schema=SCHEMA).to_pylist())

    def versions(self, batch: Batch) -> Mapping[str, str]:
        """Return the versions of everything behind the rows of a batch."""
        metadata = pq.read_metadata(self._path(batch)).metadata or {}
        found: dict[str, str] = json.loads(metadata.get(_VERSIONS, b"{}"))
        return found

    def others(self, cells: Sequence[Cell]) -> int:
        """Return how many files belong to no cell of these."""
        keys = {cell.key for cell in cells}
        return sum(key not in keys for key in self._keys())

    def _keys(self) -> Iterator[str]:
        for path in self.folder.glob("*.parquet"):
            if (found := _NAME.fullmatch(path.name)) is not None:
                yield found["key"]

    def _path(self, batch: Batch) -> Path:
        return self.folder / f"{batch.cell.key}-{batch.first:08d}-{batch.last:08d}.parquet"


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """Yield the store of a folder, which is made if need be; half-written files of a run that was killed are removed.

    Raises
    ------
    CampaignError
        If another run is writing into the folder.
    InputError
        If the folder is a link or no folder.
    """
    require_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = Problem(
                found="another run writes here", expected="one at a time", advice="Wait, or name another."
            )
            raise CampaignError(str(folder), [problem]) from None
        for partial in folder.glob("*.partial"):
            partial.unlink()
        yield Store(folder=folder)


def digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a hash of everything in the rows that depends on the plan alone, whatever order they are in."""
    summed = hashlib.sha256()
    for row in sorted(rows, key=lambda row: (row["cell"], row["replicate"])):
        summed.update(json.dumps([_exact(row[name]) for name in RESULTS.names]).encode())
    return summed.hexdigest()


def _exact(value: object) -> object:
    return value.hex() if isinstance(value, float) else value

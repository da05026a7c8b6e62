"""Fuzz everything that the harness reads: `python tests/security/fuzz_inputs.py --count 100000 --seed 1`.

Each input is drawn from its number and the seed alone, so that `--only NUMBER` repeats it. It must be read, or refused
with one clear error of the harness; nothing may execute, and nothing be written outside of a folder of its own.
"""

import argparse
import random
import resource
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import objects
import sources
from watching import TookTooLong, Watch

from harness.errors import HarnessError

CLASSES = (
    (objects.formula, 20),
    (sources.own_spec, 14),
    (sources.cells, 10),
    (sources.table, 8),
    (sources.case_file, 6),
    (sources.schema_file, 6),
    (sources.pin, 6),
    (objects.pin_of_a_case, 4),
    (sources.claims, 4),
    (sources.claims_spec, 3),
    (sources.study, 4),
    (sources.mapping, 4),
    (sources.plan, 3),
    (sources.known_differences, 2),
    (sources.instrument, 2),
    (sources.counterexample, 3),
    (objects.name_of_a_case, 2),
    (objects.frame, 3),
    (objects.parquet, 4),
    (objects.answer_of_r, 4),
    (objects.names_to_the_end, 0.5),
    (objects.report, 0.5),
)
"""What is read, and how often."""

LONGEST_MESSAGE = 20_000
MEMORY = 6 * 2**30
MOST_SHOWN = 20


def outcome_of(read, chance, folder):
    """Return how an input ended, and what is wrong with that."""
    try:
        read(chance, folder)
    except HarnessError as error:
        return "refused", complaint_about(str(error))
    except TookTooLong:
        return "took too long", "it took too long"
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is the finding
        return "crashed", "".join(traceback.format_exception(error)[-4:])[-3000:]
    return "read", ""


def complaint_about(message):
    """Return what makes a message no clear one."""
    if len(message) > LONGEST_MESSAGE:
        return f"a message of {len(message)} characters: {message[:200]!r}"
    if "Traceback" in message:
        return f"a traceback in the message: {message[:500]!r}"
    strange = {sign for sign in message if not (sign.isprintable() or sign == "\n")}
    if strange:
        return f"a message that a terminal would obey or not print, {sorted(strange)!r:.80}: {message[:300]!r}"
    if not message.strip():
        return "an empty message"
    return ""


def campaign(numbers, seed, home):
    """Return the tally of outcomes by class of input, and everything that went wrong."""
    tally, wrong = Counter(), []
    watch = Watch(home / "inside")
    reads, weights = zip(*CLASSES, strict=True)
    for number in numbers:
        chance = random.Random(f"{seed} {number}")  # noqa: S311  # a sample, not a secret
        (read,) = chance.choices(reads, weights)
        folder = home / "inside" / str(number % 50)
        folder.mkdir(exist_ok=True)
        with watch.over(f"input {number} ({read.__name__})"):
            outcome, complaint = outcome_of(read, chance, folder)
        tally[read.__name__, outcome] += 1
        if complaint:
            wrong.append(f"input {number} ({read.__name__}) {complaint}")
    wrong += watch.seen
    wrong += [f"a file outside: {path}" for path in home.iterdir() if path.name != "inside"]
    wrong += [f"executed: {path}" for path in home.rglob("pwned*")]
    return tally, wrong


def shown(tally, seed, seconds):
    """Return the tally as lines."""
    names = sorted({name for name, _ in tally})
    width = max(map(len, names))
    words = ("read", "refused", "crashed", "took too long")
    lines = [f"{'':{width}} " + " ".join(f"{word:>13}" for word in words)]
    lines += [f"{name:{width}} " + " ".join(f"{tally[name, word]:>13}" for word in words) for name in names]
    totals = [sum(tally[name, word] for name in names) for word in words]
    lines.append(f"{'all':{width}} " + " ".join(f"{total:>13}" for total in totals))
    return "\n".join([*lines, f"{tally.total()} inputs, seed {seed}, {seconds:.0f} s of a processor"])


def main():
    """Run the campaign in a folder of its own; exit status 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one input")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    numbers = range(asked.count) if asked.only is None else [asked.only]
    began = time.process_time()
    with TemporaryDirectory() as name:
        home = Path(name).resolve()
        (home / "inside").mkdir()
        tally, wrong = campaign(numbers, asked.seed, home)
    sys.stdout.write(shown(tally, asked.seed, time.process_time() - began) + "\n")
    for line in wrong[:MOST_SHOWN]:
        sys.stdout.write(f"\nWRONG: {line}\n")
    if wrong:
        sys.stdout.write(f"\n{len(wrong)} findings\n")
        raise SystemExit(1)
    sys.stdout.write("No crash without a clear error, no execution, no write outside the folder.\n")


if __name__ == "__main__":
    main()

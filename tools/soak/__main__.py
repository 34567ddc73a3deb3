"""Run the soak: `python -m tools.soak --minutes 10`.

It is not part of the tests: it takes its time, and chance chooses its troubles (`--seed` repeats
them). It starts its own PostgreSQL and Redis, and leaves nothing but its folder of logs.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tools.soak.chaos import Chaos
from tools.soak.installation import ROOT, Installation
from tools.soak.load import Load

SETTLED_WITHIN = 300.0
REST = (1.0, 6.0)  # seconds between two troubles


def main() -> int:
    """Start it, trouble it, let it settle, ask what holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    random.seed(seed)
    folder = Path(tempfile.mkdtemp(prefix="certctl-soak-"))
    print(f"soak: {options.minutes:g} minutes, seed {seed}, logs in {folder}/logs", flush=True)
    installation = Installation(folder)
    try:
        installation.up()
        return _soak(installation, options.minutes * 60)
    finally:
        installation.down()


def _soak(installation: Installation, seconds: float) -> int:
    load, chaos = Load(installation.base_url, installation.folder), Chaos(installation)
    for thread in load.threads():
        thread.start()
    reviver = threading.Thread(target=_revive, args=(installation, load.stop), daemon=True)
    reviver.start()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(random.uniform(*REST))
        chaos.one()
    load.stop.set()
    reviver.join()
    took = _settle(installation)
    print("troubles: " + ", ".join(f"{name} {n}" for name, n in sorted(chaos.done.items())))
    print("answers:")
    for name, count in sorted(load.answers.items()):
        print(f"  {count:>7} {name}")
    print(f"{sum(load.answers.values())} answers; settled after {took:.0f} s")
    checked = subprocess.run(
        [sys.executable, "-m", "tools.soak.invariants"],
        cwd=ROOT,
        env=installation.environment,
        input=json.dumps({"accepted": load.accepted}),
        text=True,
        check=False,
    )
    print("soak: every invariant holds" if checked.returncode == 0 else "soak: BROKEN")
    wrong = [name for name in load.answers if name.endswith((": 500", "is no JSON"))]
    if wrong:
        print(f"soak: unexpected answers: {', '.join(wrong)}")
    return 1 if checked.returncode or wrong else 0


def _revive(installation: Installation, stop: threading.Event) -> None:
    # As systemd or Compose would.
    while not stop.wait(1):
        installation.revive()


def _settle(installation: Installation) -> float:
    """Wait until nothing is to be done any more; return how long that took, in seconds."""
    began = time.monotonic()
    while time.monotonic() - began < SETTLED_WITHIN:
        installation.revive()
        if installation.run("-m", "tools.soak.invariants", "open").strip() == "0":
            time.sleep(70)  # so that the sweep of CRLs has come by once more
            return time.monotonic() - began
        time.sleep(2)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())

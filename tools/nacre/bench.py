# SPDX-License-Identifier: BSD-2-Clause
"""`./nacre bench`: each file of bench/ answers one question and has a function measure().

measure() returns a dictionary, printed as a line of JSON, and a sentence for people.
"""

import importlib.util
import json

from nacre import places

QUESTIONS = {path.stem.replace("_", "-"): path for path in (places.ROOT / "bench").glob("*.py")}


def load(path):
    specification = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def run(options):
    """Runs one measurement, or all."""
    for name in [options.question] if options.question else sorted(QUESTIONS):
        figures, sentence = load(QUESTIONS[name]).measure()
        print(json.dumps({"bench": name, **figures}))
        print(sentence, flush=True)
    return 0

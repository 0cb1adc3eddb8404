"""Running the programs in this folder: node, the packages of `package.json`, Debian's Chromium.

AUTOGRAD_LITE_NODE_MODULES names the folder into which npm has installed the packages (by default `node_modules` here),
AUTOGRAD_LITE_CHROMIUM another browser than Debian's. What is missing skips a test and says so;
AUTOGRAD_LITE_REQUIRE_BROWSER=1 makes it an error.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
MODULES = Path(os.environ.get("AUTOGRAD_LITE_NODE_MODULES", HERE / "node_modules"))

CHROMIUM = os.environ.get("AUTOGRAD_LITE_CHROMIUM", "/usr/bin/chromium")


def need(*packages, browser=False):
    """Skip the test unless node and these packages are there, and Chromium if it is asked for."""
    missing = [name for name in packages if not (MODULES / name / "package.json").exists()]
    missing += [name for name in ("node", *([CHROMIUM] if browser else [])) if shutil.which(name) is None]
    if missing:
        reason = f"needs {', '.join(missing)}: see tests/browser/node.py"
        if os.environ.get("AUTOGRAD_LITE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


def run(program, *arguments, stdin=None, timeout=300):
    """What a program here prints as JSON, given text or something to be written as JSON."""
    text = stdin if stdin is None or isinstance(stdin, str) else json.dumps(stdin)
    result = subprocess.run(
        ["node", str(HERE / program), *map(str, arguments)], input=text, capture_output=True, text=True, encoding="utf-8",
        check=False, timeout=timeout, env={**os.environ, "AUTOGRAD_LITE_NODE_MODULES": str(MODULES)},
    )  # fmt: skip
    assert result.returncode == 0, f"{program}: {result.stdout[-2000:]}\n{result.stderr[-4000:]}"
    return json.loads(result.stdout)

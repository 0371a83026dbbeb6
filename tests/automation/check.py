"""Reads the automation that `unfazed runbook --export` writes, as its tools do.

    python3 check.py DIRECTORY      with rundeck.yaml, ssm.yaml, markdown.md and stackstorm/

StackStorm: Orquesta's own parser, with its inspection of expressions and transitions. SSM: the schema of cfn-lint. Rundeck: a
schema written from its documentation of job definitions. Markdown: every code block is a program that `sh -n` reads. Exit code 0:
all accepted; 1: findings, one a line.
"""

import collections
import collections.abc
import fractions
import importlib.util
import inspect
import json
import math
import pathlib
import re
import subprocess
import sys

import yaml

# Orquesta and what it stands on are older than the Python that runs them.
for name in ("Hashable", "Iterable", "Mapping", "MutableMapping", "MutableSequence", "Sequence"):
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))
if not hasattr(fractions, "gcd"):
    fractions.gcd = math.gcd
if not hasattr(inspect, "getargspec"):
    inspect.getargspec = inspect.getfullargspec

import jsonschema  # noqa: E402

findings = []


def found(what):
    findings.append(str(what))


def shell(name, script):
    """A script that does not parse is no automation."""
    run = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    if run.returncode != 0:
        found(f"{name}: sh: {run.stderr.strip()}")


STEP = {
    "type": "object",
    "required": ["description", "script"],
    "additionalProperties": False,
    "properties": {
        "description": {"type": "string", "minLength": 1},
        "script": {"type": "string", "pattern": "^#!/bin/sh\n"},
        "keepgoingOnSuccess": {"type": "boolean"},
    },
}
RUNDECK = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["name", "description", "loglevel", "sequence"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "pattern": "^[^/]+$", "maxLength": 255},
            "group": {"type": "string", "pattern": "^[^/].*[^/]$"},
            "description": {"type": "string", "minLength": 1},
            "loglevel": {"enum": ["DEBUG", "VERBOSE", "INFO", "WARN", "ERROR"]},
            "executionEnabled": {"type": "boolean"},
            "scheduleEnabled": {"type": "boolean"},
            "options": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string", "pattern": "^[a-zA-Z_0-9.-]+$"},
                        "description": {"type": "string"},
                        "required": {"type": "boolean"},
                        "enforced": {"type": "boolean"},
                        "value": {"type": "string"},
                        "values": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
            "sequence": {
                "type": "object",
                "required": ["keepgoing", "strategy", "commands"],
                "additionalProperties": False,
                "properties": {
                    "keepgoing": {"type": "boolean"},
                    "strategy": {"enum": ["node-first", "step-first", "sequential", "parallel"]},
                    "commands": {
                        "type": "array",
                        "minItems": 1,
                        "items": {**STEP, "properties": {**STEP["properties"], "errorhandler": STEP}},
                    },
                },
            },
        },
    },
}


def rundeck(path):
    jobs = yaml.safe_load(path.read_text())
    for error in jsonschema.Draft4Validator(RUNDECK).iter_errors(jobs):
        found(f"rundeck: {list(error.path)}: {error.message}")
    for job in jobs:
        options = {option["name"]: option for option in job["options"]}
        commands = job["sequence"]["commands"]
        for command in commands:
            shell(f"rundeck: {job['name']}", command["script"])
            for name in re.findall(r"RD_OPTION_([A-Z_]+)", command["script"]):
                if name.lower() not in options:
                    found(f"rundeck: {job['name']}: uses {name}, which is no option")
        changes = any("REPAIR_COMMAND" in command["script"] for command in commands)
        if changes and options.get("approval", {}).get("value") != "no":
            found(f"rundeck: {job['name']}: changes a system without approval")
        if "errorhandler" not in commands[-1]:
            found(f"rundeck: {job['name']}: nobody is called")


def ssm(path):
    # Only a file of the package is wanted; its own dependencies are not installed.
    folder = pathlib.Path(importlib.util.find_spec("cfnlint").origin).parent
    schema = json.loads((folder / "data/schemas/other/ssm/document.json").read_text())
    document = yaml.safe_load(path.read_text())
    for error in jsonschema.Draft4Validator(schema).iter_errors(document):
        found(f"ssm: {list(error.path)}: {error.message}")
    if document["schemaVersion"] != "0.3":
        found("ssm: schemaVersion is not 0.3")
    names = [step["name"] for step in document["mainSteps"]]
    if len(set(names)) != len(names):
        found("ssm: a step's name occurs twice")
    for at, step in enumerate(document["mainSteps"]):
        if not re.fullmatch(r"[a-zA-Z0-9_]{3,128}", step["name"]):
            found(f"ssm: {step['name']} is no name of a step")
        target = step.get("onFailure", "Abort")
        if target.startswith("step:") and target[5:] not in names:
            found(f"ssm: {step['name']} leads to {target}, which is not there")
        text = json.dumps(step)
        for name in re.findall(r"{{\s*(\w+)\s*}}", text):
            if name not in document["parameters"]:
                found(f"ssm: {step['name']}: {name} is no parameter")
        if "REPAIR_COMMAND" in text and document["mainSteps"][at - 1]["action"] != "aws:approve":
            found(f"ssm: {step['name']}: changes a system without approval")
        commands = step["inputs"].get("Parameters", {}).get("commands")
        if commands:
            shell(f"ssm: {step['name']}", "\n".join(commands))


def stackstorm(folder):
    from orquesta.composers import native as composer
    from orquesta.specs import native
    from orquesta.utils import parameters

    # Flags in the middle of an expression were allowed once.
    inline = parameters.REGEX_INLINE_PARAMS
    letters = set("".join(re.findall(r"\(\?([aimsx]+)\)", inline)))
    flags = f"(?{''.join(sorted(letters))})" if letters else ""
    parameters.REGEX_INLINE_PARAMS = flags + re.sub(r"\(\?[aimsx]+\)", "", inline)

    for path in sorted((folder / "actions").glob("*.yaml")):
        action = yaml.safe_load(path.read_text())
        if action["runner_type"] != "orquesta" or not re.fullmatch(r"[a-z0-9-]+", action["name"]):
            found(f"stackstorm: {path.name} is no action of orquesta")
        entry = folder / "actions" / action["entry_point"]
        text = entry.read_text()
        specification = native.WorkflowSpec(yaml.safe_load(text))
        for kind, errors in specification.inspect().items():
            for error in errors:
                found(f"stackstorm: {kind}: {error}")
        composer.WorkflowComposer.compose(specification)
        definition = yaml.safe_load(text)
        if set(definition["input"]) != set(action["parameters"]):
            found("stackstorm: the action does not ask for what the workflow takes")
        for name, task in definition["tasks"].items():
            if task["action"] == "core.local":
                shell(f"stackstorm: {name}", task["input"]["cmd"])
            if "REPAIR_COMMAND" in json.dumps(task):
                askers = [
                    other for other in definition["tasks"].values()
                    if any(next_.get("do") == name for next_ in other.get("next", []))
                ]
                if [asker["action"] for asker in askers] != ["core.ask"]:
                    found(f"stackstorm: {name} changes a system without approval")


def markdown(path):
    text = path.read_text()
    blocks = re.findall(r"^```sh \{name=([a-z-]+)[^}\n]*\}\n(.*?)^```$", text, re.M | re.S)
    if len(blocks) < 3:
        found("markdown: holds no named code blocks")
    names = [name for name, _ in blocks]
    if len(set(names)) != len(names):
        found("markdown: a name occurs twice")
    for name, script in blocks:
        shell(f"markdown: {name}", script)
        if "REPAIR_COMMAND\"" in script and name != "inputs" and "read -r answer" not in script:
            found(f"markdown: {name} changes a system without approval")


folder = pathlib.Path(sys.argv[1])
rundeck(folder / "rundeck.yaml")
ssm(folder / "ssm.yaml")
stackstorm(folder / "stackstorm")
markdown(folder / "markdown.md")
for finding in findings:
    print(finding)
print(f"4 formats, {len(findings)} findings")
sys.exit(1 if findings else 0)

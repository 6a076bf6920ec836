"""Verdicts of test suites: reads them from JUnit or from Go, one line `VERDICT NAME` a test, and compares two sides."""

import json
import sys
import xml.etree.ElementTree as xml


def of_junit(path):
    for case in xml.parse(path).iter("testcase"):
        # Node writes `test` for every class.
        classname = case.get("classname") or "test"
        name = case.get("name") if classname == "test" else f"{classname} {case.get('name')}"
        tags = {child.tag for child in case}
        yield ("failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"), name


def of_go(path):
    """Reads what `go test -json` wrote."""
    words = {"pass": "passed", "fail": "failed", "skip": "skipped"}
    with open(path) as lines:
        for line in lines:
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("Test") and event.get("Action") in words:
                yield words[event["Action"]], event["Test"]


def read(path):
    """Returns the verdicts by name; of several tests of one name all of them, in order."""
    verdicts = {}
    with open(path) as lines:
        for line in lines:
            verdict, name = line.rstrip("\n").split(" ", 1)
            verdicts.setdefault(name, []).append(verdict)
    return verdicts


def reasons(path, suite, version):
    """Returns the listed reasons: lines `SUITE VERSION|all NAME: REASON`."""
    found = {}
    with open(path) as lines:
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            of, for_version, rest = line.rstrip("\n").split(" ", 2)
            name, _, reason = rest.partition(": ")
            if of == suite and for_version in ("all", version):
                found[name] = reason
    return found


def counted(verdicts):
    every = [verdict for found in verdicts.values() for verdict in found]
    return ", ".join(f"{every.count(word)} {word}" for word in ("passed", "failed", "skipped"))


def compare(suite, version, served_path, live_path, listed_path):
    served, live = read(served_path), read(live_path)
    known = reasons(listed_path, suite, version)
    differing = [name for name in sorted(served.keys() | live.keys()) if served.get(name) != live.get(name)]
    print(f"{suite} on {version}: served {counted(served)}; live {counted(live)}; {len(differing)} apart")
    unknown = 0
    for name in differing:
        sides = [" ".join(side.get(name, ["missing"])) for side in (served, live)]
        reason = known.get(name)
        unknown += reason is None
        print(f"  {name}: served {sides[0]}, live {sides[1]}{f' ({reason})' if reason else ''}")
    if not served or not live:
        print("  one side gave no verdict at all")
    return 1 if unknown or not served or not live else 0


if sys.argv[1] == "compare":
    sys.exit(compare(*sys.argv[2:]))
READERS = {"junit": of_junit, "go": of_go}
for verdict, name in READERS[sys.argv[1]](sys.argv[2]):
    print(verdict, " ".join(name.split()))

"""Faults of casebridge.yaml and what is told of each: `line: found ..., expected ...`."""

SECTION = "version: 1\ndesk: {project: 12}\n"

FAULTS = {
    "an empty file": ("", ["1: found nothing, expected keys with values, the first one `version: 1`"]),
    "only a comment": ("# soon\n", ["1: found nothing, expected keys with values, the first one `version: 1`"]),
    "a list": ("\n- version\n", ["2: found a text or a list, expected keys with values, the first one `version: 1`"]),
    "no version": ("desk: {project: 12}\n", ["1: found version: nothing, expected 1"]),
    "another version": ("desk: {project: 12}\nversion: 2\n", ["2: found version: 2, expected 1"]),
    "a version in quotes": ("desk: {project: 12}\nversion: '1'\n", ["2: found version: '1', expected 1"]),
    "an unknown section": (
        SECTION + "dok: {}\n",
        [("3: found the unknown key dok, expected dock (did you mean that?); known here: version, partners, settings,"
         " desk, dock")],
    ),
    "an unknown key far from all others": (
        SECTION + "dock:\n  colour: red\n",
        ["4: found the unknown key dock.colour, expected one of to, loud, limits"],
    ),
    "a missing section with a required key": (
        "version: 1\n", ["1: found desk.project: nothing, expected the number of the project"]
    ),
    "a section that is no mapping": (SECTION + "dock: [1]\n", [
        "3: found dock: a list of 1, expected a mapping with the keys to, loud, limits"]),
    "the connector's own words": (
        "version: 1\ndesk:\n  project: twelve\n",
        ["3: found desk.project: 'twelve', expected the number of the project"],
    ),
    "a choice": (SECTION + "dock: {to: nowhere}\n", ["3: found dock.to: 'nowhere', expected one of thread, both"]),
    "a switch": (SECTION + "dock: {loud: maybe}\n", ["3: found dock.loud: 'maybe', expected true or false"]),
    "an entry of a list": (
        SECTION + "dock:\n  limits:\n    - amount: 5\n    - amount: 0\n    -\n      amuont: 3\n",
        ["6: found dock.limits[1].amount: 0, expected a whole number of at least 1",
         "8: found dock.limits[2].amount: nothing, expected a whole number of at least 1",
         "8: found the unknown key dock.limits[2].amuont, expected amount (did you mean that?); known here: amount"],
    ),
    "a value of a map": (
        "version: 1\ndesk:\n  project: 12\n  statuses:\n    Open: new\n    In Progress: started\n",
        ['6: found desk.statuses["In Progress"]: \'started\', expected one of new, closed'],
    ),
    "a key of a map": (
        "version: 1\ndesk:\n  project: 12\n  numbers:\n    a: 1\n    c: 2\n",
        ["6: found the key desk.numbers.c, expected one of a, b"],
    ),
    "a number where a text belongs": (
        "version: 1\ndesk:\n  project: 12\n  statuses:\n    On: 5\n",
        ["5: found desk.statuses.On: 5, expected one of new, closed"],
    ),
    "a number where any text belongs": (
        SECTION + "partners: [{key: a, name: 12}]\n",
        ["3: found partners[0].name: 12, expected text; as text it stands in quotes"],
    ),
    "a renamed key": (
        "version: 1\ndesk:\n  project: 12\n  fields: {po: seven}\n",
        ["4: found desk.fields.po: 'seven', expected a whole number"],
    ),
    "a section's own check": (
        "version: 1\ndesk:\n  project: 12\n  statuses: {po: new}\n  fields: {po: 7}\n",
        ["5: found desk.fields: po in both, expected it once"],
    ),
    "settings out of range": (
        SECTION + "settings:\n  status_settle_seconds: -1\n  join_window_days: 1.5\n  recheck_after_seconds: .nan\n",
        ["4: found settings.status_settle_seconds: -1, expected a number of 0 to 3600",
         "5: found settings.join_window_days: 1.5, expected a whole number of 0 to 3650",
         "6: found settings.recheck_after_seconds: '.nan', expected a number of 0 to 3600"],
    ),
    "a partner's faults": (
        SECTION + "partners:\n  - {key: a b}\n  - acme\n  - {dock: x, calender: y}\n"
        "  - {key: c, settings: {comments: x}}\n",
        [("4: found partners[0].key: 'a b', expected letters, digits, dots, dashes and underscores, beginning with a"
         " letter or digit, 63 at most"),
         "5: found partners[1]: 'acme', expected a mapping with the keys key, name, calendar, settings, desk, dock",
         "6: found partners[2].key: nothing, expected text",
         ("6: found the unknown key partners[2].calender, expected calendar (did you mean that?); known here: key,"
          " name, calendar, settings, desk, dock"),
         "7: found partners[3].settings.comments: 'x', expected one of go_on, block"],
    ),
    "a partner's ids": (
        SECTION + "partners:\n  - {key: a, dock: true}\n  - {key: b, dock: }\n  - key: c\n    dock:\n      main: [1]\n"
        "  - {key: d, dock: {}}\n",
        ["4: found partners[0].dock: true, expected an id, or a mapping of names to ids",
         "5: found partners[1].dock: nothing, expected an id, or a mapping of names to ids",
         "8: found partners[2].dock.main: a list of 1, expected an id: text or a whole number",
         ("9: found partners[3].dock: an empty mapping, expected an id, or a mapping of names to ids; leave the line"
          " out where the partner is unknown")],
    ),
    "a partner's key twice": (
        SECTION + "partners:\n  - {key: acme}\n  - {key: acme}\n",
        [("5: found partners[1].key: 'acme' again (first in line 4: partners[0].key), expected a key of its own for"
          " each partner")],
    ),
    "one id for two partners": (
        SECTION + "partners:\n  - {key: a, desk: {org: '500'}}\n  - {key: b, desk: 500}\n",
        [("5: found partners[1].desk: '500' again (first in line 4: partners[0].desk.org), expected an id that no other"
         " partner has at Front Desk")],
    ),
    "a key twice": (
        "version: 1\ndesk:\n  project: 12\n  project: 13\n",
        ["4: found desk.project a second time (first in line 3), expected one such line: remove one"],
    ),
    "a merge key": (
        SECTION + "dock: {<<: {loud: true}}\n",
        ["3: found the merge key << in dock, expected the keys written out; aliases are for values"],
    ),
    "a list as a key": (
        SECTION + "? [a]\n: b\n", ["3: found a list or mapping as a key, expected a text as the key"]
    ),
    "a tag of Python": (
        SECTION + "dock: {to: !!python/name:os.system x}\n",
        ["3: found dock.to: the tag tag:yaml.org,2002:python/name:os.system, expected a plain value without a tag",
         "3: found dock.to: nothing, expected one of thread, both"],
    ),
    "a value in itself": (
        SECTION + "dock: &dock {limits: [*dock]}\n",
        ["3: found dock.limits[0]: an alias of what it stands in, expected a value that ends",
         "3: found dock.limits[0]: nothing, expected a mapping with the keys amount"],
    ),
    "a tab": (
        "version: 1\ndesk:\n\tproject: 12\n",
        ["3: found a tab, expected blanks: YAML allows no tab before a key or a value; replace every one"],
    ),
    "a second document": (
        "version: 1\n---\nversion: 1\n",
        ["2: found a second document (`---`), expected one document: remove the line `---`"],
    ),
    "a bracket left open": (
        "version: 1\npartners: [\n",
        [("3: found expected the node content, but found '<stream end>' while parsing a flow node, expected YAML: look"
         " at the quotes, colons, brackets and blanks in and above this line")],
    ),
    "a control character": (
        "version: 1\ndesk: \x07\n", ["2: found the character U+0007, expected printable text: remove it"]
    ),
    "nesting without end": (
        "[" * 5000,
        [("1: found lists or mappings within one another, more than 40 deep, expected fewer levels; casebridge.yaml"
         " needs five at most")],
    ),
}  # fmt: skip

"""What attackers send: texts that try to become HTML or script, and texts that try to lead out of a folder. All made here, by rule."""

from __future__ import annotations

import itertools
from urllib.parse import quote

HIT = "window.hit=(window.hit||0)+1"

_TAGS = [
    "<script>{}</script>",
    "<img src=x onerror={}>",
    "<img src=x onerror='{}'//",
    "<svg onload={}>",
    "<svg><script>{}</script></svg>",
    "<svg><animate onbegin={} attributeName=x dur=1s>",
    "<body onload={}>",
    "<iframe srcdoc='<script>parent.{}</script>'>",
    "<iframe src='javascript:parent.{}'>",
    "<details open ontoggle={}>",
    "<input autofocus onfocus={}>",
    "<select autofocus onfocus={}>",
    "<video><source onerror={}>",
    "<audio src=x onerror={}>",
    "<object data='javascript:{}'>",
    "<embed src='javascript:{}'>",
    "<a href='javascript:{}'>x</a>",
    "<form action='javascript:{}'><button autofocus>x",
    "<math href='javascript:{}'>x",
    "<link rel=stylesheet href='data:text/css,*' onload={}>",
    "<style onload={}></style>",
    "<marquee onstart={}>x",
    "<base href='javascript:{}//'>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>",
    "<template><script>{}</script></template>",
]
_BREAKS = ["{}", '"{}', "'>{}", '">{}', "</title>{}", "--><!-- -->{}", "]]>{}", "</textarea></script>{}"]
_OTHERS = [
    "javascript:{}",
    "${{{}}}",
    "{{{{{}}}}}",
    "');{}//",
    '";{}//',
    "\\';{}//",
    "`{}`",
    "\u2028{}\u2029",
    "<\x00script>{}</script>",
    "\ufeff<script>{}</script>",
    "%3Cscript%3E{}%3C/script%3E",
    "&lt;script&gt;{}&lt;/script&gt;",
    "&#60;img src=x onerror={}&#62;",
    "<ScRiPt>{}</sCrIpT>",
    "<script\n>{}</script\n>",
    "<<script>script>{}<</script>/script>",
    "＜script＞{}＜/script＞",
    "<img/src=x/onerror={}>",
    "<svg/onload={}>",
    "onmouseover={} x=",
]


def html() -> list[str]:
    """150 of them: every one says `window.hit` if it is ever run."""
    made = [text.format(HIT) for text in _OTHERS] + [around.format(tag.format(HIT)) for tag, around in itertools.product(_TAGS, _BREAKS)]
    return made[:: max(1, len(made) // 150)][:150] if len(made) >= 300 else made[:150]


_UP = ["..", "%2e%2e", ".%2e", "%252e%252e", "..%00", "..;", "....", "．．", "%c0%ae%c0%ae", "%e0%80%ae.", "..\u200b", "%uff0e%uff0e"]
_BETWEEN = ["/", "%2f", "%252f", "\\", "%5c", "%255c", "//", "/./", "∕", "%c0%af"]
_TARGETS = ["etc/passwd", "canary.txt", "data/mine/digits.csv", "state/handlens/lab.key", "runs/reader/config.json"]
_WHOLE = [
    "/etc/passwd",
    "//etc/passwd",
    "file:///etc/passwd",
    "C:\\Windows\\win.ini",
    "C:/Windows/win.ini",
    "\\\\server\\share\\x",
    "~/.ssh/id_rsa",
    "~root/x",
    "/proc/self/environ",
    "/dev/zero",
    "canary.txt",
    "link",
    "link/canary.txt",
    "lab.css/../../app.py",
    "lab.css%00.png",
    "con",
    "NUL",
    "aux.txt",
    "a" * 300,
    "a" * 5000,
    ".",
    "..",
    "...",
    ".lab",
    ".trash",
    " ",
    "%20",
    "%00",
    "%0a",
    "%0d%0aset-cookie:x=1",
    "#",
    "%23",
    "?",
    "%3f",
    "*",
    "reader*",
    "[a-z]",
    "$HOME",
    "`id`",
    "|id",
    "-rf",
    "--help",
    "é",
    "e\u0301",
    "\U0001f600",
    "\u202e",
    "reader.",
    "READER",
    "reader ",
]


def paths() -> list[str]:
    """More than 2,000 texts, each of which some program somewhere has taken for the way out of a folder."""
    climbs = [
        (up + between) * depth + target for up, between, depth, target in itertools.product(_UP, _BETWEEN, (1, 2, 4, 9), _TARGETS[:5])
    ]
    return _WHOLE + climbs


def in_address(text: str) -> str:
    """As one part of an address, with what is encoded already left as it is."""
    return quote(text, safe="%/\\:;~.*[]$|`")


def hosts(port: int) -> list[str]:
    """200 forms of `Host` that mean this lab to some parser, and not to us."""
    names = ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test", "evil.test#localhost", "evil.test@127.0.0.1", "127.0.0.1@evil.test"]
    names += ["127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001", "127.0.0.01", "127.00.0.1"]
    names += ["0", "0.0.0.0", "127.0.0.2", "127.255.255.255", "127.0.0.1.", "localhost.", "LOCALHOST", "Localhost", "localhost.localdomain"]
    names += [
        "::1",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::1%25lo]",
        "[::1%lo]",
        "[::1].",
        "[0::1]",
        "ip6-localhost",
    ]
    names += [
        "127.0.0.1%00",
        "127.0.0.1 ",
        "\t127.0.0.1",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "127.0.0.1,evil.test",
        "127.0.0.1;evil.test",
        "http://127.0.0.1",
    ]
    names += ["127.0.0.1/", "//127.0.0.1", "127.0.0.1\\", "user:pass@localhost", "[127.0.0.1]", "local host", "-", "*", "", "null"]
    ends = [f":{port}", "", f":{port + 1}", f":0{port}", f":{port}/"]
    right = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return [form for name, end in itertools.product(names, ends) if (form := name + end).strip() not in right]

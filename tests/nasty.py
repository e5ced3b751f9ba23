"""Text that strangers may call a system, write into a manifest or say in a clip: everything shows it as text."""

#: One nastiness each.
NASTY_TEXTS = (
    "</script><script>document.title='pwned'</script>",
    "<img src=x onerror=document.title='pwned'>",
    "\" onmouseover=\"document.title='pwned'",
    "' & \" quotes &amp; entities",
    "a|b||c",
    "=HYPERLINK(1)",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\u202eright to left\u202c",
    "עברית ועוד",
    "👩‍🔬 emoji 🇺🇦",
    "`code` *bold* _under_ ~~gone~~ # head",
    "[link](javascript:alert(1)) ![x](y)",
    r"\input{x} $1 & #_^~% {}",
    "<!-- comment",
    "{{ 7 * 7 }} {% raw %}",
    "line\u2028separator",
    "名字，with, comma;semicolon\ttab",
    "%s %d ${x} `${x}`",
)
#: All of them that a line of text can hold together.
NASTY = " ".join(NASTY_TEXTS)

"""Raises exceptions whose text holds terminal codes, HTML, workflow commands and lines like a report's."""

TEXTS = [
    "\x1b[2J\x1b]0;full marks\x07\x9b31m\r\x08\x00",
    "</pre><script>fetch('/')</script><img src=x onerror=alert(1)>",
    "\n::error title=a::b\n::set-output name=score::100\n##[group]\n",
    "\nscore 100 / 100\n| passed | 100 |\n]]>\n\ud800\u202e\ufeff" + "x" * 100_000,
]


def attack(number):
    class Bad(Exception):
        def __str__(self):
            return TEXTS[number % len(TEXTS)]

    Bad.__name__ = TEXTS[number % len(TEXTS)].replace("\0", "").replace("\ud800", "")
    raise Bad from Bad()


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(len(X))

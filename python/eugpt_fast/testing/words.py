"""The deltas of generated streams: tokens of prose, of other scripts, and the padding that hides their length."""

import random

_PROSE = (
    "the of and to a in is that it was for on are as with they at be this from have or by one had not but what all "
    "were when we there can an your which their said if do will each about how up out them then she many some so "
    "would other into has more her two like him see time could no make than first been its who now people my made "
    "over did down only way find use may water long little very after words called just where most know through "
    "back much before go good new write our used man too any day same right look think also around another came "
    "come work three word must because does part even place well such here take why things help put years different "
    "away again off went old number great tell men say small every found still between name should home give air "
    "line set own under read last never us left end along while might next sound below saw something thought both "
    "light country river morning letters mountain government information understand however important European"
)
_PROSE_WORDS = _PROSE.split(" ")
_FOREIGN = "日本語の 文字 流れ 한국어 Größe naïve Привет मन 🙂 👩‍🚀 🇪🇺 𝄞 𠮷 é \u2028 \u2029 \x85"
_FOREIGN_WORDS = _FOREIGN.split(" ")  # at spaces only: the last three are white space too
_PADDING = "q7LxV2mZ0cRtY9aKfW4hN8sDjB1uGpE6oTiX3vCkQ5zSyMlHrJwPbOnUgAeFdI"


def prose(count: int, rng: random.Random) -> list[str]:
    """Tokens of English-like prose: words with the space before them, now and then a comma or a full stop."""
    tokens: list[str] = []
    starts_sentence, after_word = True, False
    for _ in range(count):
        if after_word and rng.random() < 0.12:
            starts_sentence, after_word = rng.random() < 0.6, False
            tokens.append("." if starts_sentence else ",")
            continue
        word = rng.choice(_PROSE_WORDS)
        tokens.append((" " if tokens else "") + (word.capitalize() if starts_sentence else word))
        starts_sentence, after_word = False, True
    return tokens


def foreign(count: int, rng: random.Random) -> list[str]:
    """Tokens outside ASCII, among them line ends that are none in SSE."""
    return rng.choices(_FOREIGN_WORDS, k=count)


def obfuscation(delta: str) -> str:
    """Letters that bring delta and padding together to a multiple of 12, so that sizes tell nothing of the text."""
    start = len(delta) * 7 % 40
    return _PADDING[start : start + 12 - len(delta) % 12]

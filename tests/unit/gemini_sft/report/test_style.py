import re
from importlib.resources import files

import pytest

STYLE = files("gemini_sft.report").joinpath("page.css").read_text(encoding="utf-8")
TEXT = ("ink", "muted", "link", "good", "bad", "open")
GROUNDS = ("paper", "card", "goodwash", "badwash", "openwash")


def colours(scheme: str) -> dict[str, str]:
    light, dark = (
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", STYLE, re.S)[:2]
    )
    return light if scheme == "light" else light | dark


def luminance(colour: str) -> float:
    """As WCAG 2.2 defines relative luminance."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_of_level_aa(scheme: str) -> None:
    palette = colours(scheme)
    low = {
        (text, ground): ratio
        for text in TEXT
        for ground in GROUNDS
        if (ratio := contrast(palette[text], palette[ground])) < 4.5
    }
    assert not low


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_of_curves_can_be_told_from_their_ground(scheme: str) -> None:
    palette = colours(scheme)
    lines = [name for name in palette if name in ("train", "validation") or name.startswith("series")]
    assert len(lines) == 8
    assert all(contrast(palette[name], palette[ground]) >= 3 for name in lines for ground in ("paper", "card"))

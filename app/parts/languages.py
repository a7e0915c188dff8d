"""Languages by name: what the codes that the engine tells stand for, as the facets write them."""

from __future__ import annotations

NAMES = dict(
    line.split(" ", 1)
    for line in """\
af Afrikaans, als Swiss German, am Amharic, ar Arabic, arz Egyptian Arabic, as Assamese,
ast Asturian, az Azerbaijani, ba Bashkir, be Belarusian, bg Bulgarian, bn Bangla, bo Tibetan,
br Breton, bs Bosnian, ca Catalan, ce Chechen, ceb Cebuano, ckb Central Kurdish, cs Czech,
cv Chuvash, cy Welsh, da Danish, de German, dv Divehi, el Greek, en English, eo Esperanto,
es Spanish, et Estonian, eu Basque, fa Persian, fi Finnish, fr French, fy Western Frisian,
ga Irish, gd Scottish Gaelic, gl Galician, gn Guarani, gu Gujarati, he Hebrew, hi Hindi,
hr Croatian, ht Haitian Creole, hu Hungarian, hy Armenian, ia Interlingua, id Indonesian, io Ido,
is Icelandic, it Italian, ja Japanese, jv Javanese, ka Georgian, kk Kazakh, km Khmer, kn Kannada,
ko Korean, ku Kurdish, ky Kyrgyz, la Latin, lb Luxembourgish, lo Lao, lt Lithuanian, lv Latvian,
mg Malagasy, mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms Malay, mt Maltese,
my Burmese, nds Low German, ne Nepali, nl Dutch, nn Norwegian Nynorsk, no Norwegian, oc Occitan,
or Odia, os Ossetic, pa Punjabi, pl Polish, ps Pashto, pt Portuguese, qu Quechua, ro Romanian,
ru Russian, sa Sanskrit, sd Sindhi, sh Serbo-Croatian, si Sinhala, sk Slovak, sl Slovenian,
so Somali, sq Albanian, sr Serbian, su Sundanese, sv Swedish, sw Swahili, ta Tamil, te Telugu,
tg Tajik, th Thai, tk Turkmen, tl Filipino, tr Turkish, tt Tatar, ug Uyghur, uk Ukrainian, ur Urdu,
uz Uzbek, vi Vietnamese, wa Walloon, war Waray, xh Xhosa, yi Yiddish, yo Yoruba, yue Cantonese,
zh Chinese, zu Zulu, unknown unknown language""".replace(",\n", ", ").split(", ")
)
"""English names by code."""


def language_name(code: str) -> str:
    """Return a language's English name; its code where none is known.

    >>> language_name("en"), language_name("xal")
    ('English', 'xal')
    """
    return NAMES.get(code, code)

"""Small pools of records in several scripts, put on a map by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ila_core.landscape.landscape import Landscape
from ila_core.pool.ingest import ingest

Pair = tuple[str, str]


def file_of(path: Path, pairs: list[Pair]) -> Path:
    lines = [json.dumps({"instruction": ask, "output": say}) + "\n" for ask, say in pairs]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
    return path


def landscape_of(folder: Path, pairs: list[Pair], *, depth: Any = None) -> Landscape:
    """The records on a line, the deepest last unless depths are given."""
    records = ingest(file_of(folder / "pool.jsonl", pairs), out=folder / "records")
    n = len(pairs)
    places = np.stack([np.arange(n), np.zeros(n)], axis=1)
    return Landscape.from_arrays(
        places, depth=np.arange(n) if depth is None else depth, records=records
    )


# A paragraph of some sixty words in each script, so that one word of it is a small part.
PARAGRAPHS = {
    "en": "The river rises in the hills above the old town, passes three mills that have long "
    "stood still, and then turns south across a plain where wheat and barley are grown; every "
    "spring it floods the lower meadows, which the farmers welcome because the mud feeds the "
    "grass, and every autumn the bridges are checked for stones that were washed away.",
    "ru": "Река начинается в холмах над старым городом, проходит мимо трёх давно остановленных "
    "мельниц и поворачивает на юг через равнину, где выращивают пшеницу и ячмень; каждую весну "
    "она заливает нижние луга, чему крестьяне рады, потому что ил питает траву, а каждую осень "
    "проверяют мосты, не унесло ли водой камни из опор.",
    "zh": "这条河发源于古城上方的山丘,流经三座早已停转的磨坊,然后向南穿过一片种植小麦和大麦的"
    "平原;每年春天它都会淹没低处的草地,农民们对此表示欢迎,因为泥土滋养了牧草,而每年秋天人们"
    "都要检查桥梁,看看桥墩上的石头有没有被水冲走。",
    "th": "แม่น้ำสายนี้มีต้นกำเนิดจากเนินเขาเหนือเมืองเก่า ไหลผ่านโรงสีสามแห่งที่หยุดทำงานมานานแล้ว "
    "จากนั้นจึงไหลลงใต้ผ่านที่ราบซึ่งปลูกข้าวสาลีและข้าวบาร์เลย์ ทุกฤดูใบไม้ผลิน้ำจะท่วมทุ่งหญ้าด้านล่าง "
    "ซึ่งชาวนายินดีเพราะโคลนช่วยบำรุงหญ้า",
    "hi": "यह नदी पुराने शहर के ऊपर की पहाड़ियों से निकलती है, तीन बंद पड़ी चक्कियों के पास से गुजरती है "
    "और फिर दक्षिण की ओर उस मैदान में मुड़ जाती है जहाँ गेहूँ और जौ उगाए जाते हैं; हर वसंत में यह निचले "
    "चरागाहों में बाढ़ लाती है जिसका किसान स्वागत करते हैं",
    "ar": "ينبع النهر من التلال فوق المدينة القديمة ويمر بثلاث طواحين توقفت منذ زمن طويل ثم ينعطف "
    "جنوبا عبر سهل يزرع فيه القمح والشعير وفي كل ربيع يغمر المروج السفلى وهو ما يرحب به المزارعون "
    "لأن الطين يغذي العشب وفي كل خريف تفحص الجسور",
}
QUESTIONS = {"en": "What lies in the north?", "ru": "Что лежит на севере?", "zh": "北边有什么?",
             "th": "ทางเหนือมีอะไร", "hi": "उत्तर में क्या है?", "ar": "ماذا يوجد في الشمال؟"}  # fmt: skip

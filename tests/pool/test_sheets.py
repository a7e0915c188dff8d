"""Tables of cells: delimiters, quotes, titles, encodings, workbooks."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from pool_files import notes, outcome, put, workbook

from ila_core.errors import IlaError
from ila_core.pool.encodings import encoding_of
from ila_core.pool.packing import HEAD
from ila_core.pool.reading import Reading, read_pool
from ila_core.pool.record import Reject
from ila_core.pool.settings import ReadSettings
from ila_core.pool.sheets import dialect_of

ROWS = [("Name a knot.", "Bowline."), ("Name a sail.", "Jib."), ("Name a rope.", "Sheet.")]
QUESTIONS = [question for question, _ in ROWS]


def text_of(delimiter: str, header: str = "question{}answer") -> bytes:
    lines = [header.format(delimiter), *(delimiter.join(row) for row in ROWS)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["pool.csv", "pool.tsv"])
def test_delimiters(tmp_path: Path, delimiter: str, name: str) -> None:
    assert outcome(put(tmp_path, text_of(delimiter), name)) == QUESTIONS


def test_quotes_between_tabs_count_only_where_they_are_sound(tmp_path: Path) -> None:
    cells = [('"Ahoy" is said when?', "At sea."), ('"Heave, said the cook', 'He said "now".')]
    data = "\n".join("\t".join(row) for row in [("question", "answer"), *cells]).encode()
    assert outcome(put(tmp_path, data, "pool.tsv")) == [question for question, _ in cells]
    quoted = b'question\tanswer\n"What\nis it?"\t"a\tb"\n"He said ""no""."\tc\n'
    assert outcome(put(tmp_path, quoted, "pool.tsv")) == ["What\nis it?", 'He said "no".']
    cut = 'question\tanswer\n"What\nis'
    assert dialect_of(cut, whole=False).quoting == csv.QUOTE_MINIMAL, "its end may close it"
    assert dialect_of(cut, whole=True).quoting == csv.QUOTE_NONE


def test_titles_above_the_names_and_blank_columns(tmp_path: Path) -> None:
    data = b"Export of May,,,\n,,,\nid,question,answer,\n1,Name a knot.,Bowline.,\n,,,\n"
    file = put(tmp_path, data, "pool.csv")
    assert outcome(file) == ["Name a knot.", "empty row"]
    assert notes(file) == {"row above the names of the columns, left out": 2}
    data = b",,question,answer\n0,7,Name a sail.,Jib.\n"
    [record] = read_pool(put(tmp_path, data, "pool.csv"))
    assert '"column 1":"0","column 2":"7"' in record.original
    twice = put(tmp_path, b"question,answer,answer\na,b,c\n", "pool.csv")
    with pytest.raises(IlaError, match=r"column named 'answer'; rename one .* --header"):
        outcome(twice)


@pytest.mark.parametrize("name", ["pool.csv", "pool.tsv", "pool.xlsx"])
def test_every_row_is_kept_or_rejected_and_blank_lines_are_counted(
    tmp_path: Path, name: str
) -> None:
    rows = [["", ""], ["question", "answer"], ["Why?", "So."], ["", ""], ["Who?", "We."], ["", ""],
            ["Where?", "Here."]]  # fmt: skip
    if name == "pool.xlsx":
        data, there = workbook(Sheet=rows), len(rows)
    else:
        comma = "," if name == "pool.csv" else "\t"
        written = [comma.join(row) for row in rows]
        data, there = "\n".join([*written[:-1], "", "", written[-1]]).encode(), len(rows) + 2
    reading = Reading(put(tmp_path, data, name))
    found = list(reading)
    assert [one.line for one in found if isinstance(one, Reject)] == [2, 4]
    tally = reading.tally
    assert (tally.read, tally.kept, tally.reasons) == (5, 3, {"empty row": 2})
    header, blank = 1, reading.counts["notes"]["blank line, no record"]
    assert tally.kept + reading.rejected + blank + header == there


def test_names_in_any_case_and_spelling(tmp_path: Path) -> None:
    data = b"System Prompt,QUESTION,Answer\nBe brief.,Why?,So.\n"
    [record] = read_pool(put(tmp_path, data, "pool.csv"))
    assert [turn.text for turn in record.turns] == ["Be brief.", "Why?", "So."]
    zh = "问题,答案\n为什么？,因为。\n".encode()
    [record] = read_pool(put(tmp_path, zh, "pool.csv"))
    assert (record.instruction, record.response) == ("为什么？", "因为。")


FOREIGN = {
    "gb18030": "问题,答案\n请介绍一种茶。,龙井是一种绿茶。\n请介绍一座山。,黄山在安徽省。\n",
    "big5": "問題,答案\n請介紹一種茶。,烏龍茶產自台灣。\n請介紹一座山。,玉山是最高的山。\n",
    "cp932": "question,answer\nお茶の種類を教えて。,煎茶です。\n山の名前は？,富士山です。\n",
    "cp949": "question,answer\n차 종류를 알려 주세요.,녹차가 있습니다.\n산 이름은?,한라산입니다.\n",
    "cp1251": "question,answer\nНазови реку в Сибири.,Енисей.\nНазови гору.,Эльбрус на Кавказе.\n",
    "cp1252": "question,answer\nWas heißt café?,Kaffeehaus – schön.\nOù est Zürich?,Près d’ici.\n",
    "utf-16-le": "question,answer\nНазови реку.,Енисей.\n",
    "utf-16-be": "question,answer\nName a tea.,龙井\n",
}


@pytest.mark.parametrize("encoding", FOREIGN)
def test_other_encodings_are_found_out_and_told(tmp_path: Path, encoding: str) -> None:
    text = FOREIGN[encoding]
    file = put(tmp_path, text.encode(encoding), "pool.csv")
    assert encoding_of(file.read_bytes()) == encoding
    wanted = [line.split(",")[0] for line in text.splitlines()[1:]]
    if "question" in text or "问题" in text:
        assert outcome(file) == wanted
        told = notes(file)
        guess = f"file read as {encoding.upper()}, a guess that --encoding overrules"
        assert told[encoding.upper() if encoding.startswith("utf") else guess] == 1
    lines = "".join(f'{{"question": "{line}", "answer": "x"}}\n' for line in wanted)
    found = read_pool(put(tmp_path, lines.encode(encoding), "pool.jsonl"))
    assert [one.original for one in found] == lines.splitlines()


def test_a_few_broken_lines_are_no_other_encoding(tmp_path: Path) -> None:
    data = text_of(",") + b"\n\xff\xfe,x\n" + "é,ü".encode()
    assert outcome(put(tmp_path, data, "pool.csv")) == [*QUESTIONS, "not UTF-8", "é"]
    mixed = "Was heißt ".encode() + "été, sagte sie.\n".encode("cp1252")
    assert encoding_of(5 * mixed) == "utf-8", "half of it is sound"


def test_workbooks(tmp_path: Path) -> None:
    names = ("Question", "Answer", "n", "when")
    rows = [(*row, n, date(2024, 5, 6)) for row, n in zip(ROWS, (1, 2.5, 3), strict=True)]
    file = put(tmp_path, workbook(pool=[names, *rows], rest=[names, rows[0]]), "pool.xlsx")
    reading = Reading(file)
    found = list(reading)
    assert [one.instruction for one in found] == QUESTIONS
    assert found[0].original == (
        '{"Question":"Name a knot.","Answer":"Bowline.","n":1,"when":"2024-05-06"}'
    )
    assert reading.counts["notes"] == {"row of the sheet 'rest', left out": 2}
    assert dict(reading.containers) == {"a workbook": 1}
    with pytest.raises(IlaError, match="is a ZIP archive"):
        outcome(put(tmp_path, file.read_bytes(), "pool.csv"))
    with pytest.raises(IlaError, match="not a workbook that can be read"):
        outcome(put(tmp_path, file.read_bytes()[:2000], "pool.xlsx"))


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "cp932", "cp949"])
@pytest.mark.parametrize("start", range(4))
def test_a_letter_that_is_cut_in_two_does_not_hide_the_encoding(encoding: str, start: int) -> None:
    """A file is told by its first bytes, which may end within a letter: it was no UTF-8 then."""
    said = {
        "gb18030": "长江全长约六千三百公里",
        "big5": "長江全長約六千三百公里",
        "cp932": "富士山の高さは三千七百メートル",
        "cp949": "한라산의 높이는 얼마입니까",
    }
    line = f"question,{said[encoding]}\n".encode(encoding)
    head = (b"q" * start + line * 9000)[:HEAD]
    assert encoding_of(head) == encoding


def test_a_known_word_in_a_cell_is_no_header(tmp_path: Path) -> None:
    data = b",German,English\n0,Mensch,human\n1,Haus,house\n"
    file = put(tmp_path, data, "pool.csv")
    found = list(read_pool(file, ReadSettings(map="instruction=German,response=English")))
    assert [one.response for one in found] == ["human", "house"]
    titled = b"Sheet of words,v2,,\nmade in,May,,\nquestion,answer,,note\nMensch,human,,\n"
    assert outcome(put(tmp_path, titled, "pool.csv")) == ["Mensch"]

"""Names of domains in any script: whole words that tell a topic, no grammar and no language."""

from __future__ import annotations

import numpy as np
import pytest

from ila_core.space.domains import domains_by_kmeans
from ila_core.space.encoders import load_encoder
from ila_core.space.names import name_domains

# Three topics a language, beef, planets and the piano: four questions each, and the words that may
# stand first in their names.
TOPICS = {
    "zh": {
        "牛肉 · 食谱": [
            "请给我一份红烧牛肉的食谱",
            "怎样用烤箱烤牛肉？",
            "牛肉汤的食谱需要什么调料",
            "写一份牛肉面的食谱",
        ],
        "行星 · 太阳": [
            "解释行星为什么围绕太阳转",
            "太阳系里最大的行星是哪一颗",
            "行星的轨道是什么形状",
            "太阳和行星之间的距离有多远",
        ],
        "钢琴 · 音乐": [
            "推荐几首适合钢琴初学者的音乐",
            "钢琴和小提琴的音乐有什么不同",
            "怎样练习钢琴",
            "写一段关于钢琴音乐的介绍",
        ],
    },
    "ja": {
        "牛肉 · レシピ": [
            "牛肉のレシピを教えてください",
            "牛肉を使ったスープのレシピは何ですか",
            "美味しい牛肉料理のレシピを書いてください",
            "牛肉の煮込みを作る方法",
        ],
        "惑星 · 太陽": [
            "惑星が太陽の周りを回る理由を説明してください",
            "太陽系で最も大きい惑星は何ですか",
            "惑星の軌道について書いてください",
            "太陽と惑星の距離はどのくらいですか",
        ],
        "ピアノ · 音楽": [
            "ピアノの練習方法を教えてください",
            "ピアノとバイオリンの音楽の違いは何ですか",
            "初心者のためのピアノ音楽を選んでください",
            "ピアノの音楽について説明してください",
        ],
    },
    "th": {
        "เนื้อวัว · สูตร": [
            "ขอสูตรเนื้อวัวตุ๋น",
            "วิธีทำซุปเนื้อวัวเป็นอย่างไร",
            "เขียนสูตรอาหารที่ใช้เนื้อวัว",
            "สูตรเนื้อวัวย่างต้องใช้อะไรบ้าง",
        ],
        "ดาวเคราะห์": [
            "อธิบายว่าทำไมดาวเคราะห์จึงโคจรรอบดวงอาทิตย์",
            "ดาวเคราะห์ที่ใหญ่ที่สุดคืออะไร",
            "ดวงอาทิตย์อยู่ห่างจากดาวเคราะห์เท่าไร",
            "วงโคจรของดาวเคราะห์เป็นอย่างไร",
        ],
        "เปียโน · เพลง": [
            "แนะนำเพลงเปียโนสำหรับผู้เริ่มต้น",
            "วิธีฝึกเปียโนเป็นอย่างไร",
            "เปียโนกับไวโอลินต่างกันอย่างไร",
            "เขียนเพลงสำหรับเปียโน",
        ],
    },
    "ko": {
        "소고기 · 요리법": [
            "소고기 요리법을 알려 주세요",
            "소고기 수프는 어떻게 만드나요",
            "맛있는 소고기 요리법을 써 주세요",
            "소고기를 굽는 요리법",
        ],
        "행성 · 태양": [
            "행성이 태양 주위를 도는 이유를 설명해 주세요",
            "태양계에서 가장 큰 행성은 무엇인가요",
            "행성의 궤도는 어떤 모양인가요",
            "태양과 행성 사이의 거리는 얼마인가요",
        ],
        "피아노": [
            "피아노 연습 방법을 알려 주세요",
            "피아노 음악과 바이올린 음악의 차이는 무엇인가요",
            "초보자를 위한 피아노 음악을 추천해 주세요",
            "피아노 음악에 대해 써 주세요",
        ],
    },
    "ar": {
        "اللحم · وصفة": [
            "اكتب وصفة لحم البقر",
            "ما هي وصفة حساء اللحم",
            "كيف أطبخ اللحم في الفرن",
            "وصفة سهلة من اللحم",
        ],
        "الكواكب · الشمس": [
            "لماذا تدور الكواكب حول الشمس",
            "ما هو أكبر كوكب في النظام الشمسي",
            "كم تبعد الكواكب عن الشمس",
            "اشرح مدار الكواكب",
        ],
        "البيانو · موسيقى": [
            "كيف أتدرب على البيانو",
            "ما الفرق بين موسيقى البيانو والكمان",
            "اقترح موسيقى على البيانو للمبتدئين",
            "اكتب عن موسيقى البيانو",
        ],
    },
    "ru": {
        "говядины · рецепт": [
            "Напиши рецепт тушёной говядины",
            "Какой рецепт супа из говядины самый простой?",
            "Как приготовить говядину в духовке",
            "Рецепт говядины с овощами",
        ],
        "планеты · солнца": [
            "Почему планеты вращаются вокруг Солнца",
            "Какая планета самая большая и далеко ли она от Солнца",
            "Объясни, что такое орбита планеты",
            "Как далеко планеты от Солнца",
        ],
        "пианино": [
            "Как играть на пианино",
            "Чем музыка для пианино отличается от музыки для скрипки",
            "Посоветуй музыку на пианино для начинающих",
            "Напиши о том, как звучит пианино",
        ],
    },
    "hi": {
        "पनीर · रेसिपी": [
            "पनीर की रेसिपी लिखिए",
            "पनीर की सब्ज़ी कैसे बनाते हैं",
            "सबसे आसान पनीर रेसिपी क्या है",
            "पनीर के साथ चावल की रेसिपी",
        ],
        "ग्रह · सूर्य": [
            "ग्रह सूर्य के चारों ओर क्यों घूमते हैं",
            "सबसे बड़ा ग्रह कौन सा है",
            "सूर्य से ग्रह की दूरी कितनी है",
            "ग्रह की कक्षा क्या होती है और सूर्य क्या है",
        ],
        "पियानो · संगीत": [
            "पियानो कैसे बजाते हैं",
            "पियानो और वायलिन के संगीत में क्या अंतर है",
            "शुरुआत के लिए पियानो संगीत बताइए",
            "पियानो के संगीत के बारे में लिखिए",
        ],
    },
    "he": {
        "בשר · מתכון": [
            "כתוב מתכון של בשר בקר",
            "איך מבשלים בשר בתנור",
            "מה המתכון של מרק בשר",
            "מתכון קל עם בשר",
        ],
        "הלכת · כוכבי": [
            "למה כוכבי הלכת מסתובבים סביב השמש",
            "מה המרחק של כוכבי הלכת מן השמש",
            "הסבר את המסלול של כוכבי הלכת",
            "מהו הגדול בין כוכבי הלכת ואיפה השמש",
        ],
        "פסנתר · מוזיקה": [
            "איך לומדים פסנתר",
            "מה ההבדל בין מוזיקה של פסנתר לבין כינור",
            "המלץ על מוזיקה קלה עם פסנתר",
            "כתוב על מוזיקה של פסנתר",
        ],
    },
    "el": {
        "μοσχάρι · συνταγή": [
            "Γράψε μια συνταγή για μοσχάρι",
            "Πώς μαγειρεύω μοσχάρι στον φούρνο",
            "Ποια είναι η συνταγή για σούπα με μοσχάρι",
            "Μια εύκολη συνταγή",
        ],
        "πλανήτες · ήλιο": [
            "Γιατί οι πλανήτες γυρίζουν γύρω από τον ήλιο",
            "Ποιος πλανήτης είναι ο μεγαλύτερος",
            "Πόσο απέχουν οι πλανήτες από τον ΉΛΙΟ",
            "Τι σχήμα έχουν οι τροχιές που κάνουν οι πλανήτες",
        ],
        "πιάνο · μουσική": [
            "Πώς μαθαίνω πιάνο",
            "Ποια είναι η διαφορά στη μουσική για πιάνο και βιολί",
            "Πρότεινε μουσική για πιάνο",
            "Γράψε για τη μουσική και το πιάνο",
        ],
    },
    "de": {
        "rindfleisch · rezept": [
            "Schreibe ein Rezept für Rindfleisch",
            "Wie brate ich das Rindfleisch im Ofen?",
            "Was ist das Rezept für eine Suppe mit Rindfleisch",
            "Ein einfaches Rezept mit Rindfleisch",
        ],
        "planeten · sonne": [
            "Warum kreisen die Planeten um die Sonne",
            "Wie weit sind die Planeten von der Sonne",
            "Was ist der größte der Planeten",
            "Erkläre die Bahn der Planeten",
        ],
        "klavier · musik": [
            "Wie übe ich auf dem Klavier",
            "Was ist der Unterschied zwischen Musik für Klavier und Geige",
            "Nenne mir Musik für das Klavier",
            "Schreibe über die Musik und das Klavier",
        ],
    },
    "am": {
        "አሰራር · ሥጋ": [
            "የበሬ ሥጋ አሰራር ጻፍ",
            "ሥጋ እንዴት ይጠበሳል",
            "የሥጋ ሾርባ አሰራር ምንድን ነው",
            "ቀላል የሥጋ አሰራር",
        ],
        "ፀሐይ": [
            "ፀሐይ ምንድን ናት",
            "ፕላኔቶች ለምን ፀሐይ ይዞራሉ",
            "ትልቁ ፕላኔት የትኛው ነው",
            "ፀሐይ ከምድር ምን ያህል ትርቃለች",
        ],
        "ፒያኖ · ሙዚቃ": [
            "ፒያኖ እንዴት ይጫወታል",
            "ፒያኖ እና ቫዮሊን",
            "ሙዚቃ በ ፒያኖ",
            "ስለ ፒያኖ ሙዚቃ ጻፍ",
        ],
    },
    "bn": {
        "মাংসের · রেসিপি": [
            "মাংসের রেসিপি লিখুন",
            "মাংস কীভাবে রান্না করব",
            "সহজ মাংসের রেসিপি কী",
            "মাংসের স্যুপ রেসিপি",
        ],
        "গ্রহ · সূর্যের": [
            "গ্রহ কেন সূর্যের চারদিকে ঘোরে",
            "সবচেয়ে বড় গ্রহ কোনটি",
            "সূর্যের থেকে গ্রহ কত দূরে",
            "গ্রহ এবং সূর্যের কথা বলুন",
        ],
        "পিয়ানো · সঙ্গীত": [
            "পিয়ানো কীভাবে বাজাব",
            "পিয়ানো এবং বেহালার সঙ্গীত",
            "পিয়ানো সঙ্গীত নিয়ে লিখুন",
            "নতুনদের জন্য পিয়ানো",
        ],
    },
}


@pytest.mark.parametrize("language", TOPICS)
def test_a_name_is_made_of_whole_words_that_tell_the_topic(language: str) -> None:
    topics = TOPICS[language]
    texts = [text for of_topic in topics.values() for text in of_topic]
    names = name_domains(np.repeat(np.arange(3), 4), 3, texts)
    for name, topic in zip(names, topics, strict=True):
        assert name.startswith(topic), names


def test_a_pool_of_all_languages_has_the_same_names() -> None:
    topics = [(name, texts) for of in TOPICS.values() for name, texts in of.items()]
    texts = [text for _, of_topic in topics for text in of_topic]
    names = name_domains(np.repeat(np.arange(len(topics)), 4), len(topics), texts)
    for name, (topic, _) in zip(names, topics, strict=True):
        assert name.startswith(topic), name


def test_words_that_are_everywhere_name_nothing() -> None:
    texts = ["please write the poem", "please sort the list", "please write the poem again"]
    names = name_domains(np.array([0, 1, 0]), 2, texts)
    assert names[0].startswith("poem · write")
    assert names[1] == "list · sort"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Пожалуйста, напиши стих", "стих"),
        ("请写一首诗歌", "诗歌"),
        ("x = np_zeros(3)", "np_zeros"),
        ("ÇA, C'EST UN POE\u0300ME", "poème"),
        ("İstanbul", "istanbul"),
    ],
)
def test_names_in_other_scripts_and_code(text: str, word: str) -> None:
    names = name_domains(np.array([0, 1]), 2, [text, "an entirely different matter"])
    assert word in names[0].split(" · ")


def test_function_words_name_a_domain_only_where_it_has_no_other() -> None:
    texts = ["how do you bake rye", "how do you bake oats", "which of these is it", "of which"]
    names = name_domains(np.array([0, 0, 1, 1]), 2, texts)
    assert names[0].split(" · ")[0] == "bake" and "how" not in names[0]
    assert "which" in names[1]


def test_names_differ_even_where_words_do_not() -> None:
    names = name_domains(np.array([0, 1, 2, 3]), 4, ["same", "same", "", ""])
    assert len(set(names)) == 4
    assert all(names)


def test_a_name_does_not_say_a_word_twice() -> None:
    (name,) = name_domains(np.array([0]), 1, ["poem poems poetry"])
    assert name == "poem · poetry"


def test_a_word_in_most_texts_names_nothing_in_a_language_without_a_list() -> None:
    topics = ["wharangi", "whetumarama", "waiatanga", "moananui", "rongoaha"]
    texts = [f"ngataka {topic} {k}" for topic in topics[:4] for k in range(2)] + ["rongoaha"] * 2
    names = name_domains(np.repeat(np.arange(5), 2), 5, texts)
    assert names == tuple(topics)


def test_forms_of_a_word_stand_in_a_name_once() -> None:
    (name,) = name_domains(np.array([0]), 1, ["книга книги книгу поэт"])
    assert name == "книги · поэт"


def test_a_korean_word_is_counted_without_its_particles() -> None:
    texts = ["행성은 크다", "행성의 빛", "행성 지도", "피아노를 산다", "피아노 소리", "피아노와 북"]
    names = name_domains(np.array([0, 0, 0, 1, 1, 1]), 2, texts)
    assert [name.split(" · ")[0] for name in names] == ["행성", "피아노"]


def test_long_runs_of_letters_are_no_words_and_not_cut_into_some() -> None:
    (name,) = name_domains(np.array([0]), 1, ["poem " + "ab" * 20 + " é" + "ab" * 20])
    assert name == "poem"


# -- a pool in three languages --------------------------------------------------------------------

THINGS = {
    "zh": [["钢琴", "小提琴", "吉他"], ["牛肉", "米饭", "面条"], ["行星", "月亮", "太阳"]],
    "ar": [["البيانو", "الكمان", "الجيتار"], ["اللحم", "الأرز", "الخبز"],
           ["الكواكب", "القمر", "الشمس"]],
    "en": [["piano", "violin", "guitar"], ["beef", "rice", "bread"], ["planets", "moon", "sun"]],
}  # fmt: skip
QUESTIONS = {
    "zh": ["请解释一下{}和{}是什么", "写一段关于{}和{}的介绍", "{}和{}有哪些种类？",
           "怎样学习{}和{}"],
    "ar": ["ما هي أنواع {} و {} في العالم", "اكتب فقرة عن {} و {}", "كيف أتعلم عن {} و {}",
           "اشرح لي {} و {} من فضلك"],
    "en": ["What is the {} and what is the {}?", "Write about the {} or the {}",
           "Which kinds of {} and {} are there", "How do I learn of the {} and the {}"],
}  # fmt: skip
ASKING = {
    "解释", "介绍", "种类", "学习", "أنواع", "العالم", "اكتب", "فقرة", "أتعلم", "اشرح", "فضلك",
    "write", "kinds", "learn",
}  # fmt: skip


def in_three_languages() -> tuple[list[str], list[int]]:
    """Every question about every two things of a topic, 324 records; each one's topic, 0 to 8."""
    topics = [(language, things) for language in THINGS for things in THINGS[language]]
    asked = [
        (question.format(one, other), number)
        for number, (language, things) in enumerate(topics)
        for question in QUESTIONS[language]
        for one in things
        for other in things
    ]
    texts, topic = zip(*asked, strict=True)
    return list(texts), list(topic)


def test_the_things_of_a_topic_come_before_how_its_language_asks_for_them() -> None:
    texts, topic = in_three_languages()
    names = name_domains(np.array(topic), 9, texts)
    things = [set(of_topic) for of_language in THINGS.values() for of_topic in of_language]
    assert [set(name.split(" · ")) for name in names] == things


def test_clusters_of_several_languages_are_named_by_whole_words_with_a_meaning() -> None:
    texts, _ = in_three_languages()
    vectors = load_encoder("multilingual").encode(texts)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = domains_by_kmeans(vectors, lambda: texts).names
    things = {thing for topics in THINGS.values() for topic in topics for thing in topic}
    assert len(names) >= 8
    assert {word for name in names for word in name.split(" · ")} <= things | ASKING, names
    assert domains_by_kmeans(vectors, lambda: texts).names == names

from analysis.variants import families, variant


def test_a_choice_is_read_from_the_name():
    read = variant("llm_chat+decoding=json_schema+probe=warped+history=compressed", "probe")
    assert read.choice == "warped"
    assert read.base == "llm_chat+decoding=json_schema+history=compressed"
    assert variant("random_search", "probe").choice is None


def test_families_differ_in_one_choice_and_begin_with_the_default():
    methods = [
        "smac",
        "llm_chat+repair=clamp",
        "llm_chat",
        "llm_chat+probe=warped",
        "llm_chat+probe=warped+repair=clamp",
    ]
    found = families(methods, "repair")
    assert {base: [each.method for each in variants] for base, variants in found.items()} == {
        "llm_chat": ["llm_chat", "llm_chat+repair=clamp"],
        "llm_chat+probe=warped": ["llm_chat+probe=warped", "llm_chat+probe=warped+repair=clamp"],
    }

"""Templates: their texts in both languages, with values that are escaped."""

import pytest

from rafflekit.html.rendering import _environment


@pytest.mark.parametrize(
    ("template", "html"),
    [
        ("{{ _('Made by %(who)s: 100%%', who=name) }}", "Made by &lt;b&gt;&amp;: 100%"),
        ("{{ _('100%%') }}", "100%"),
        ("{{ _('Read <em>%(who)s</em>', who=name | named) }}", "Read <em><bdi>&lt;b&gt;&amp;</bdi></em>"),
        ("{% trans who=name %}Made by <em>{{ who }}</em>: 100%{% endtrans %}", "Made by <em>&lt;b&gt;&amp;</em>: 100%"),
        ("{{ ngettext('%(num)s day', '%(num)s days', 1) }}", "1 day"),
        (
            "{{ ngettext('%(num)s day of %(who)s', '%(num)s days of %(who)s', 2, who=name) }}",
            "2 days of &lt;b&gt;&amp;",
        ),
        ("{% trans count=2 %}{{ count }} day{% pluralize %}{{ count }} days{% endtrans %}", "2 days"),
    ],
)
def test_values_in_texts_are_escaped(template: str, html: str) -> None:
    assert _environment("en").from_string(template).render(name="<b>&") == html


def test_texts_are_in_the_readers_language() -> None:
    left = "ngettext('%(left)s of %(num)s ticket left', '%(left)s of %(num)s tickets left', 9, left=2)"
    template = f"{{{{ _('Prizes') }}}}, {{{{ {left} }}}}"

    assert _environment("en").from_string(template).render() == "Prizes, 2 of 9 tickets left"
    assert _environment("de").from_string(template).render() == "Preise, Noch 2 von 9 Losen zu haben"

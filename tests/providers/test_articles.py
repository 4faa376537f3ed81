"""News, searches and videos: words without operators, texts without mark-up, what is covered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from providers.equities import _alphavantage_news, _yahoo_news
from providers.markup import without_markup
from providers.news import cryptopanic, gdelt, gnews, hackernews, marketaux, newsapi
from providers.news._articles import arranged, words_of
from providers.search import brave_search
from providers.video import dailymotion, vimeo, youtube_data
from schema.symbols import parse_instrument
from schema.words.news import NewsArticle, NewsAsk
from schema.words.videos import VideoOrder, VideosAsk

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NEWS = {
    "alphavantage": _alphavantage_news.reported, "brave": brave_search.reported, "cryptopanic": cryptopanic.covered,
    "gdelt": gdelt.covered, "gnews": gnews.covered, "hackernews": hackernews.covered, "marketaux": marketaux.covered,
    "newsapi": newsapi.NewsApi.offers["news"].covers, "yahoo": _yahoo_news.reported,
}  # fmt: skip


def article(number: str, hour: int, url: str = "https://a.example") -> NewsArticle:
    return NewsArticle(id=number, title="A", url=url, published_at=NOON.replace(hour=hour))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("copper prices", "copper prices"),
        ("copper AND (tin OR -zinc) NOT lead", "copper tin zinc lead"),
        ('"S&P 500" site:ledger.example', "S&P 500 site ledger.example"),
        ("coca-cola's +5%", "coca-cola's 5%"),
        ("ORACLE Andes", "ORACLE Andes"),
        ("  銅  ", "銅"),
        ("(:*)", ""),
    ],
)
def test_words_are_left_of_a_text(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>One<p>two<br/>three", "One two three"),
        ("<strong>Bold</strong>, it is", "Bold, it is"),
        ("a &lt; b &amp;amp; c", "a < b &amp; c"),
        ("a < b > c", "a < b > c"),
        ('<a href="https://x.example/?a=1&amp;b=2" rel="nofollow">here</a>', "here"),
        ("  \n\t ", None),
        ("<br>", None),
        (None, None),
    ],
)
def test_a_text_loses_its_mark_up_and_nothing_else(text, plain):
    assert without_markup(text) == plain


def test_articles_are_arranged_once_each_newest_first_inside_of_the_range():
    ask = NewsAsk(start=NOON.replace(hour=9), end=NOON)
    rows = [article("a", 8), article("b", 9), article("c", 11), article("b", 9), article("d", 12)]

    found = arranged(ask, [*rows, article("e", 10, "javascript:alert(1)")])

    assert [each.id for each in found] == ["c", "b"]


@pytest.mark.parametrize(
    ("ask", "covering"),
    [
        (NewsAsk(), "alphavantage cryptopanic gnews hackernews marketaux"),
        (NewsAsk(text="copper"), "brave gdelt gnews hackernews marketaux newsapi yahoo"),
        (NewsAsk(text="copper", language="en"), "brave gdelt gnews marketaux newsapi"),
        (NewsAsk(text="copper", country="US"), "brave gdelt gnews newsapi"),
        (NewsAsk(text="copper", country="US", language="en"), "brave gdelt gnews"),
        (NewsAsk(text="copper", topic="business"), "newsapi"),
        (NewsAsk(topic="business"), "gnews newsapi"),
        (NewsAsk(topic="crypto"), "alphavantage cryptopanic"),
        (NewsAsk(topic="show"), "hackernews"),
        (NewsAsk(text="copper", start=NOON), "brave gdelt gnews hackernews marketaux newsapi"),
        (NewsAsk(text="copper", end=NOON), "gdelt gnews hackernews marketaux newsapi"),
        (NewsAsk(topic="business", start=NOON), "gnews"),
        (NewsAsk(instruments=(parse_instrument("equity:AAPL"),)), "alphavantage marketaux yahoo"),
        (NewsAsk(instruments=(parse_instrument("crypto:BTC/USD"),)), "alphavantage cryptopanic yahoo"),
        (NewsAsk(instruments=(parse_instrument("equity:VOD@XLON"),)), "yahoo"),
        (NewsAsk(text="copper", language="xx"), ""),
        (NewsAsk(text="copper", country="KP"), ""),
        (NewsAsk(text="(:)"), "hackernews"),
        (NewsAsk(text="(:)", country="US"), ""),
    ],
)
def test_news_are_asked_for_where_every_filter_is_kept(ask, covering):
    assert sorted(name for name, covers in NEWS.items() if covers(ask)) == covering.split()


@pytest.mark.parametrize(
    ("ask", "covering"),
    [
        (VideosAsk(text="copper"), "dailymotion vimeo youtube"),
        (VideosAsk(id="aaaaaaaaaaa"), "dailymotion youtube"),
        (VideosAsk(id="29433509"), "dailymotion vimeo"),
        (VideosAsk(id="../me"), ""),
        (VideosAsk(channel="foundry"), ""),
        (VideosAsk(channel="foundry", text="copper"), "dailymotion vimeo"),
        (VideosAsk(channel="foundry", order=VideoOrder.VIEWS), "dailymotion vimeo"),
        (VideosAsk(channel="UC_x5XG1OV2P6uZZ5FSM9Ttw"), "youtube"),
        (VideosAsk(channel="a/b", order=VideoOrder.NEWEST), ""),
        (VideosAsk(), ""),
    ],
)
def test_videos_are_asked_for_by_ids_of_the_platforms_own_forms(ask, covering):
    platforms = {"dailymotion": dailymotion.Dailymotion, "vimeo": vimeo.Vimeo, "youtube": youtube_data.YouTubeData}

    assert sorted(name for name, cls in platforms.items() if cls.offers["videos"].covers(ask)) == covering.split()


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("PT59S", 59_000), ("PT1H2M3S", 3_723_000), ("P1DT1S", 86_401_000), ("P0D", None), ("59 s", None), (None, None)],
)
def test_a_length_of_youtube_is_in_milliseconds(text, milliseconds):
    assert youtube_data.length_of(text) == milliseconds


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("07:36", 456_000), ("1:02:03", 3_723_000), ("live", None), (None, None)]
)
def test_a_length_of_brave_is_in_milliseconds(text, milliseconds):
    assert brave_search.length_of(text) == milliseconds


@pytest.mark.parametrize(
    ("text", "ticker", "symbol"),
    [
        ("equity:BRK.B", "BRK-B", "equity:BRK.B"), ("crypto:BTC/EUR", "CRYPTO:BTC", "crypto:BTC/USD"),
        ("equity:SHOP@XTSE", None, None), ("crypto:WIF/USD", None, None), ("fx:EUR/USD", None, None),
    ],
)  # fmt: skip
def test_tickers_of_alpha_vantage_lead_back_to_what_was_asked_for(text, ticker, symbol):
    found = _alphavantage_news.ticker_of(parse_instrument(text))

    assert (found, None if found is None else _alphavantage_news.symbol_in(found)) == (ticker, symbol)


@pytest.mark.parametrize("ticker", ["FOREX:USD", "CRYPTO:WIF", "COIN:BTC", "SHOP.XX"])
def test_what_alpha_vantage_names_and_the_gateway_does_not_is_left_out(ticker):
    assert _alphavantage_news.symbol_in(ticker) is None

"""Scales, numbers in words, pictures, and charts as drawings, against astropy, algebra and a parser of XML."""

import json
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from astropy.coordinates import Angle, Distance
from astropy.time import Time
from PIL import Image

from lyot.site import words
from lyot.site.addresses import query_address, slugs, upwards
from lyot.site.chart import Above, Axis, Chart, Drawing, Layer, Point, Subject, charts
from lyot.site.charts.colour_magnitude import absolute, absolute_error, points
from lyot.site.figures import as_json
from lyot.site.images import asinh_stretch, picture
from lyot.site.interactive import specification
from lyot.site.overlay import Sky, overlay
from lyot.site.plot import Plot, lay_out
from lyot.site.scale import Scale, round_step, spread
from lyot.site.svg import series_colours, svg
from lyot.site.track import polar_paths, star_of


def chart(**drawing) -> Chart:
    kinds = {"x": Axis("Right"), "y": Axis("Up"), "layers": (Layer("dots", "points", "dots"),), **drawing}
    return Chart("trial", "Trial <i>", "What it says.", "SELECT 1", lambda *_: [], Drawing(**kinds), "Nothing.")


def drawn(one: Chart, points: list[Point], above: Above | None = None) -> str:
    plot = Plot(one, "", points, above)
    lay_out([plot])
    return svg(plot, plot.frame, series_colours(points))


def circles(text: str) -> list[tuple[float, float]]:
    root = ElementTree.fromstring(text)
    return [(float(one.get("cx")), float(one.get("cy"))) for one in root.iter("circle")]


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (452.3456, 2.345, "452.3 ± 2.3"),
        (-0.05, 0.0123, "−0.050 ± 0.012"),
        (83.939, 0.014, "83.939 ± 0.014"),
        (1234.5, None, "1234.5"),
        (None, 0.1, ""),
        (5.0, 0.0, "5"),
    ],
)
def test_errors_have_two_digits(value, error, said):
    assert words.with_error(value, error) == said


def test_errors_up_and_down_may_differ():
    assert words.with_error(5.0, 0.5, 1.2) == "5.00 +1.20 −0.50"
    assert words.with_error(5.0, 0.5, 0.5) == "5.00 ± 0.50"


@pytest.mark.parametrize(
    ("key", "said"),
    [("naco", "NACO"), ("sphere-irdis", "SPHERE/IRDIS"), ("nirc2", "NIRC2"), ("jwst-nircam", "JWST/NIRCam"),
     ("Robo-AO <b>", "Robo-AO <b>"), ("", ""), (None, "")],
)  # fmt: skip
def test_instruments_are_written_as_people_write_them(key, said):
    assert words.instrument(key) == said


@pytest.mark.parametrize("degrees", [0.0, 15.0, 86.821234715, 359.99999999, 201.150164942])
def test_right_ascension_is_that_of_astropy(degrees):
    said = words.right_ascension(degrees).replace(" ", "")
    turned = (Angle(said).degree - degrees + 180.0) % 360.0 - 180.0
    assert turned == pytest.approx(0.0, abs=15 * 0.0005 / 3600 * 1.01)  # half of the last digit shown


@pytest.mark.parametrize("degrees", [0.0, -0.5, -51.066135962, 89.9999999, -0.0000028])
def test_declination_is_that_of_astropy(degrees):
    said = words.declination(degrees).replace("−", "-").replace(" ", "").translate(str.maketrans("°′″", "dms"))
    assert Angle(said).degree == pytest.approx(degrees, abs=0.005 / 3600 * 1.01)


@pytest.mark.parametrize("mjd", [0.0, 51544.5, 56323.0, 59999.999])
def test_days_are_those_of_astropy(mjd):
    assert words.day(mjd) == Time(mjd, format="mjd", scale="tt").iso[:10]


def test_sizes_and_counts_in_words():
    assert [words.size(n) for n in (0, 999, 1000, 999_999, 1_500_000)] == ["0 B", "999 B", "1 kB", "1000 kB", "1.5 MB"]
    assert words.count(1234567) == "1\u202f234\u202f567"


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.2, 7.9), (1e-6, 3e-6), (2003.8, 2021.6), (-1e5, 1e5)])
def test_ticks_are_round_few_and_inside(low, high):
    ticks = Scale(low, high, 0, 100).ticks(6)
    assert 3 <= len(ticks) <= 7
    assert all(low - 1e-9 * (high - low) <= tick <= high + 1e-9 * (high - low) for tick in ticks)
    step = ticks[1] - ticks[0]
    assert round_step(step * (1 - 1e-12)) == pytest.approx(step)


def test_a_scale_ends_where_it_should():
    scale = Scale(1.0, 100.0, 20.0, 10.0, log=True)
    assert [scale(value) for value in (1.0, 10.0, 100.0)] == pytest.approx([20.0, 15.0, 10.0])
    assert spread([5.0]) == (2.5, 7.5)


def test_east_is_left_and_north_is_up():
    sky = chart(x=Axis("East", "mas", reverse=True), y=Axis("North", "mas"), square=True)
    found = circles(drawn(sky, [Point("dots", 0, 0), Point("dots", 100, 0), Point("dots", 0, 100)]))
    (x, y), (east_x, east_y), (north_x, north_y) = found
    assert east_x < x
    assert north_y < y
    assert x - east_x == pytest.approx(y - north_y, abs=0.2)  # one scale on both axes, to the decimal written
    assert (east_y, north_x) == (y, x)


def test_magnitudes_grow_downwards():
    found = circles(drawn(chart(y=Axis("Mag", reverse=True)), [Point("dots", 0, 5.0), Point("dots", 1, 15.0)]))
    assert found[0][1] < found[1][1]


def test_a_drawing_is_sound_whatever_its_points_are_called():
    point = Point("dots", 1.0, 2.0, series="</svg><script>", label="\"'&", x_error=0.5, y_error=0.1)
    text = drawn(chart(), [point], Above("au <b>", 2.0))
    assert "<script>" not in text
    assert "style=" not in text
    ElementTree.fromstring(text)


def test_errors_that_show_beside_their_point_are_drawn():
    points = [Point("dots", x, 0.0, y_error=error) for x, error in ((0.0, 10.0), (1.0, 0.01))]
    paths = ElementTree.fromstring(drawn(chart(), points)).iter("path")
    (bars,) = (one.get("d") for one in paths if one.get("class") == "bar")
    assert bars.count("M") == 1


def test_one_point_alone_is_drawn():
    assert len(circles(drawn(chart(), [Point("dots", 7.0, 0.0)]))) == 1


def test_points_as_data_are_exact_and_inert():
    values = [Point("dots", 0.1 + 0.2, 1 / 3, series="<!--</script>\u2028")]
    text = as_json(chart(), values)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text)[0]["rows"] == [[0.1 + 0.2, 1 / 3]]


@pytest.mark.parametrize("one", charts(), ids=lambda one: one.name)
def test_every_chart_compiles_to_vega(one):
    made = specification(one)
    assert {"x", "y"} <= {scale["name"] for scale in made["scales"]}
    assert "points" in {data["name"] for data in made["data"]}
    reverse = {scale["name"]: bool(scale.get("reverse")) for scale in made["scales"]}
    assert reverse["x"] == one.drawing.x.reverse
    assert reverse["y"] == one.drawing.y.reverse


@pytest.mark.parametrize("parallax", [3.0, 50.9307, 130.0])
def test_absolute_magnitudes_are_those_of_astropy(parallax):
    modulus = Distance(1000.0 / parallax, unit="pc").distmod.value
    assert absolute(13.5, parallax) == pytest.approx(13.5 - modulus, abs=1e-12)


def test_the_error_of_an_absolute_magnitude_is_the_scatter_of_many():
    many = np.random.default_rng(1)
    drawn = absolute_many(many.normal(13.5, 0.05, 40_000), many.normal(10.0, 0.2, 40_000))
    # the scatter of 40,000 draws is known to 0.4 %; the first order neglects another 0.1 %
    assert absolute_error(0.05, 10.0, 0.2) == pytest.approx(np.std(drawn), rel=0.02)


def absolute_many(magnitudes, parallaxes):
    return magnitudes + 5.0 * np.log10(parallaxes) - 10.0


def test_neither_stars_in_the_background_nor_simulations_are_references():
    shared = {"magnitude_1": 18.0, "magnitude_1_error": 0.1, "magnitude_2": 17.5, "magnitude_2_error": 0.1,
              "parallax": 40.0, "parallax_error": 0.1, "status": "COMPANION", "simulated": 0, "own": 0}  # fmt: skip
    several = ("own b", {"own": 1, "status": "BACKGROUND"}), ("b", {}), ("star", {"status": "BACKGROUND"}), (
        "made up", {"simulated": 1})  # fmt: skip
    rows = [shared | {"name": name, "companion_id": name} | more for name, more in several]
    found = points(rows, Subject({}, "own"))
    assert [(point.label, point.layer) for point in found] == [("own b", "own"), ("b", "reference")]


def test_a_picture_has_north_up():
    """A source at a high row of the plane is high in the picture."""
    plane = np.zeros((40, 40), np.float32)
    plane[35, 8] = 100.0
    image = np.asarray(Image.open(BytesIO(picture(plane, symmetric=True).data)).convert("L"), float)
    y, x = np.unravel_index(int(np.argmax(image)), image.shape)
    assert (x / 12.0, y / 12.0) == pytest.approx((8.5, 40 - 35.5), abs=0.7)


@pytest.mark.parametrize("plane", [np.full((9, 9), np.nan), np.zeros((9, 9)), np.ones((9, 9)) * -1e30])
def test_pictures_of_nothing_are_pictures(plane):
    assert picture(plane.astype(np.float32)).data[:4] == b"RIFF"
    assert np.isfinite(asinh_stretch(np.where(np.isfinite(plane), plane, 0).astype(np.float32))).all()


def test_the_scale_bar_has_the_length_it_says():
    made = picture(np.zeros((100, 100), np.float32))
    text = overlay(made, Sky(pixel_scale=10.0, parallax=50.0), [], "sky")
    length = float(text.split("h", 1)[1].split("m", 1)[0]) if "v8m0 -4h" not in text else None
    length = length or float(text.split("v8m0 -4h", 1)[1].split("m", 1)[0])
    assert "0.2″ · 4 au" in text  # 200 mas at 20 pc
    assert length == pytest.approx(200.0 / 10.0 * 480 / 100, abs=0.1)


def test_the_angle_of_a_track_does_not_jump():
    across = np.linspace(-0.3, 0.3, 9)
    angles = np.stack([across, across[::-1], across + 3.0])
    paths = 10.0 * np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    for path, polar in zip(paths, polar_paths(paths), strict=True):
        separation, angle = polar.T
        assert np.abs(np.diff(angle)).max() < 10.0
        assert 0.0 <= angle[0] < 360.0
        back = separation * np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))])
        assert pytest.approx(path, abs=1e-12) == back.T


def test_a_star_without_parallax_has_no_track():
    whole = {"ra": 1.0, "dec": 2.0, "ref_epoch": 2016.0, "pmra": 1.0, "pmdec": 1.0, "parallax": 5.0}
    assert star_of(whole) is not None
    assert star_of({**whole, "parallax": None}) is None
    assert star_of({**whole, "parallax": -0.1}) is None


def test_addresses_are_different_and_plain():
    made = slugs(["beta Pic", "beta-pic", "β Pic", "שלום", "x" * 10_000, "../../etc", "a/b"])
    assert len(set(made.values())) == 7
    assert all("/" not in name and not name.startswith(".") and len(name) < 120 for name in made.values())
    assert upwards("index.html") == "./"
    assert upwards("targets/x/index.html") == "../../"
    assert query_address("SELECT 1", "a&b") == "lyot?sql=SELECT+1&target=a%26b"

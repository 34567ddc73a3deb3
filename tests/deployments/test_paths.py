"""Files are written under the named roots and nowhere else."""

import os

import pytest

from deployments import policy
from deployments.connectors.on_disk import paths
from foundation.errors import ConnectorError


def place_of(path):
    return paths.place_of(path, policy.here().roots)


def refused(path):
    with pytest.raises(ConnectorError) as caught:
        place_of(str(path))
    assert caught.value.permanent
    return True


def test_a_file_under_a_root_is_allowed(site):
    place = place_of(str(site / "deep" / "cert.pem"))

    assert place == paths.Place(site / "deep", "cert.pem")


def test_nothing_is_allowed_where_no_root_is_named(site, settings):
    settings.TARGET_ROOTS = []

    assert refused(site / "cert.pem")


def test_a_relative_root_allows_nothing(site, settings, monkeypatch):
    monkeypatch.chdir(site.parent)
    settings.TARGET_ROOTS = ["site"]

    assert refused(site / "cert.pem")


@pytest.mark.parametrize("path", ["{site}x/cert.pem", "{site}", "/etc/cert.pem"])
def test_a_file_outside_of_the_roots_is_refused(site, path):
    assert refused(path.format(site=site))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "cert.pem",
        "{site}/../site/cert.pem",
        "{site}/./cert.pem",
        "{site}//cert.pem",
        "{site}/cert.pem/",
        "{site}/cert\0.pem",
        "{site}/cert\n.pem",
        "{site}/" + "x" * 201,
        "{site}" + "/x" * 600,
    ],
)
def test_an_odd_spelling_is_refused(site, path):
    assert paths.shape_error(path.format(site=site))
    assert refused(path.format(site=site))


def test_a_symlink_that_leads_out_is_refused(site, tmp_path):
    (tmp_path / "outside").mkdir()
    (site / "folder").symlink_to(tmp_path / "outside")
    (site / "cert.pem").symlink_to(tmp_path / "outside" / "cert.pem")

    assert refused(site / "cert.pem")
    assert refused(site / "folder" / "cert.pem")


def test_a_loop_of_symlinks_is_refused(site):
    (site / "a").symlink_to(site / "b")
    (site / "b").symlink_to(site / "a")

    assert refused(site / "a" / "cert.pem")


def test_a_symlink_within_the_roots_is_followed(site):
    (site / "store").mkdir()
    (site / "live.pem").symlink_to(site / "store" / "cert.pem")

    assert place_of(str(site / "live.pem")) == paths.Place(site / "store", "cert.pem")


def test_a_folder_that_became_a_symlink_after_the_check_is_not_entered(site, tmp_path):
    (site / "folder").mkdir()
    place = place_of(str(site / "folder" / "cert.pem"))
    (tmp_path / "outside").mkdir()
    (site / "folder").rmdir()
    (site / "folder").symlink_to(tmp_path / "outside")

    with pytest.raises(OSError, match=r"symbolic link|Not a directory"):
        paths.open_folder(place.folder)


def test_a_folder_is_opened_by_its_real_path(site):
    descriptor = paths.open_folder(site)

    assert os.path.samestat(os.fstat(descriptor), site.stat())
    os.close(descriptor)


def test_a_path_and_a_name_are_bounded():
    folder = "/" + "/".join(["a" * 200] * 5)
    longest = folder + "/" + "b" * (1024 - len(folder) - 1)

    assert paths.shape_error(longest) == ""
    assert paths.shape_error(f"{longest}b")
    assert paths.shape_error("/srv/" + "b" * 200) == ""
    assert paths.shape_error("/srv/" + "b" * 201)

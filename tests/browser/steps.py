"""What a person does on the page, and what is listed then."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def keys(page: Page) -> list[str]:
    return page.locator("#cards .card h3").all_text_contents()  # those out of sight have no inner text


def choose(page: Page, field: str, value: str) -> None:
    control = page.locator(f"[data-field={field}]")
    if control.evaluate("field => field.tagName") == "SELECT":
        control.select_option(value)
    else:
        control.fill(value)


def show_all(page: Page) -> None:
    page.get_by_role("button", name="All").click()


def open_sample(page: Page, key: str) -> None:
    page.get_by_role("link", name=key, exact=True).click()
    expect(page.locator("#sample h2")).to_have_text(key)

//! A list that may be long: a field to search it, and a window on it.
//!
//! Only the rows in view and a few around them are elements of the page. How high a row is, the style
//! sheet says alone (`--row`): it is given the number of rows and that of the first one here (`--count`,
//! `--first`), and lays them out. Rows that stay in the window stay the same elements.
//!
//! The list is a listbox: one stop of the Tab key, in which the arrows move from row to row. The focus
//! stays on the list, which names the active row (`aria-activedescendant`). With a focus on the rows
//! themselves it would be lost whenever the row that has it is scrolled out of the window and removed.
//! Each row says its place among all that were found, since most of the others are not there.
// long: the window and what moves it, whole

use std::ops::Range;

use leptos::{prelude::*, tachys::view::any_view::AnyViewState};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event};

use super::element::{Handler, el, el_on, live_text};
use crate::browser::{
    dom,
    layout::{self, Resized, Scroller},
};

/// So many rows are kept on each side of those in view.
const AROUND: usize = 6;

/// What a list says.
#[derive(Clone, Copy)]
pub struct Words {
    /// What it is a list of.
    pub name: &'static str,
    /// What the field is for.
    pub search: &'static str,
    /// In place of rows, where none was found.
    pub nothing: &'static str,
    /// How many were found of how many.
    pub found: fn(usize, usize) -> String,
}

/// A list: a handle that can be copied. It lives as long as the part of the page that made it.
#[derive(Clone, Copy)]
pub struct LongList {
    inner: StoredValue<Inner, LocalStorage>,
    count: RwSignal<Count, LocalStorage>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    found: usize,
    all: usize,
    sought: bool,
}

struct Inner {
    id: &'static str,
    show: Box<dyn Fn(usize) -> AnyView>,
    /// What each row is found by, prepared once.
    texts: Vec<String>,
    sought: String,
    /// Which rows were found, in order.
    found: Vec<usize>,
    /// Where in that order the keyboard is.
    active: Option<usize>,
    /// In pixels: a row, what the list shows, how far it is scrolled.
    row: f64,
    height: f64,
    scrolled: f64,
    /// The rows that are in the page.
    mounted: Vec<Mounted>,
    properties: Option<(usize, usize)>,
    resized: Option<Resized>,
    /// It is in the page.
    begun: bool,
}

struct Mounted {
    row: usize,
    state: AnyViewState,
    element: Element,
    /// Its place among how many.
    place: (usize, usize),
    active: bool,
}

impl LongList {
    /// An empty list. The id is its element's; the function shows the row of a number.
    #[must_use]
    pub fn new(id: &'static str, show: impl Fn(usize) -> AnyView + 'static) -> Self {
        let inner = Inner {
            id,
            show: Box::new(show),
            texts: Vec::new(),
            sought: String::new(),
            found: Vec::new(),
            active: None,
            row: 0.0,
            height: 0.0,
            scrolled: 0.0,
            mounted: Vec::new(),
            properties: None,
            resized: None,
            begun: false,
        };
        Self { inner: StoredValue::new_local(inner), count: RwSignal::new_local(Count::default()) }
    }

    /// Further rows at its end, by what each is to be found by.
    pub fn extend(self, texts: impl Iterator<Item = String>) {
        self.change(|inner| {
            for text in texts {
                let text = dom::folded(&text);
                if text.contains(&inner.sought) {
                    inner.found.push(inner.texts.len());
                }
                inner.texts.push(text);
            }
        });
    }

    /// How many rows it has, and follows it.
    #[must_use]
    pub fn count(self) -> usize {
        self.count.get().all
    }

    /// How many rows it has.
    #[must_use]
    pub fn count_untracked(self) -> usize {
        self.count.get_untracked().all
    }

    /// The field and the list.
    #[must_use]
    pub fn view(self, words: Words) -> AnyView {
        let id = self.inner.with_value(|inner| inner.id);
        wasm_bindgen_futures::spawn_local(async move { self.begin() });
        // The listener goes with the list, not with the page.
        on_cleanup(move || self.inner.update_value(|inner| inner.resized = None));
        let found = move || {
            let Count { found, all, sought } = self.count.get();
            if sought { (words.found)(found, all) } else { String::new() }
        };
        let nothing = move || {
            let Count { found, sought, .. } = self.count.get();
            if sought && found == 0 { words.nothing.to_owned() } else { String::new() }
        };
        let field = [
            ("type", "search"),
            ("id", "filter"),
            ("aria-label", words.search),
            ("aria-controls", id),
            ("placeholder", words.search),
            ("autocomplete", "off"),
            ("spellcheck", "false"),
        ];
        let list = [("class", "long"), ("id", id), ("role", "listbox"), ("tabindex", "0"), ("aria-label", words.name)];
        let on_list: Vec<(&'static str, Handler)> = vec![
            ("scroll", Box::new(move |_| self.change(Inner::look))),
            ("keydown", Box::new(move |event| self.pressed(&event))),
            ("focus", Box::new(move |_| self.change(Inner::enter))),
            ("click", Box::new(move |event| self.clicked(&event))),
        ];
        let rows = || el("div", &[("role", "presentation")], vec![]);
        let all = el("div", &[("role", "presentation")], vec![rows()]);
        el(
            "div",
            &[("class", "searched")],
            vec![
                el_on(
                    "input",
                    &field,
                    vec![
                        ("input", Box::new(move |event| self.typed(&event))),
                        ("keydown", Box::new(move |event| self.leave_field(&event))),
                    ],
                    vec![],
                ),
                el(
                    "p",
                    &[("class", "found"), ("role", "status"), ("aria-live", "polite"), ("data-found", "")],
                    vec![live_text(Box::new(found))],
                ),
                el(
                    "div",
                    &[("class", "frame")],
                    vec![
                        el_on("div", &list, on_list, vec![all]),
                        el("p", &[("class", "nothing"), ("data-nothing", "")], vec![live_text(Box::new(nothing))]),
                    ],
                ),
            ],
        )
    }

    /// Once it is in the page.
    fn begin(self) {
        self.change(|inner| {
            inner.begun = true;
            if let Some(list) = Scroller::find(inner.id) {
                inner.resized = Some(Resized::watch(list.element(), move || self.change(Inner::measure)));
            }
        });
    }

    /// Changes it, and shows that. Whatever comes after its end changes nothing.
    fn change(self, change: impl FnOnce(&mut Inner)) {
        let count = self.inner.try_update_value(|inner| {
            change(inner);
            inner.refresh();
            Count { found: inner.found.len(), all: inner.texts.len(), sought: !inner.sought.is_empty() }
        });
        if let Some(count) = count
            && self.count.try_get_untracked().is_some_and(|before| before != count)
        {
            self.count.set(count);
        }
    }

    fn typed(self, event: &Event) {
        if let Some(input) = event.target().and_then(|target| target.dyn_into().ok()) {
            let sought = dom::folded(dom::value(&input).trim());
            self.change(|inner| inner.seek(sought));
        }
    }

    /// From the field straight into the list.
    fn leave_field(self, event: &Event) {
        if dom::key(event).as_deref() == Some("ArrowDown") {
            event.prevent_default();
            let id = self.inner.with_value(|inner| inner.id);
            dom::focus(&["#", id].concat());
        }
    }

    fn pressed(self, event: &Event) {
        let Some(key) = dom::key(event) else { return };
        let moves = self.inner.with_value(|inner| inner.next(&key));
        if let Some(to) = moves {
            event.prevent_default();
            self.change(|inner| inner.go_to(to));
        }
    }

    fn clicked(self, event: &Event) {
        let row = dom::id_around(event, "[role=option]");
        let row = row.and_then(|id| id.rsplit_once('-')?.1.parse().ok());
        self.change(|inner| {
            if let Some(place) = row.and_then(|row| inner.found.binary_search(&row).ok()) {
                inner.active = Some(place);
            }
        });
    }
}

impl Inner {
    fn measure(&mut self) {
        let Some(list) = Scroller::find(self.id) else { return };
        self.height = list.height();
        self.scrolled = list.scrolled();
        if let Some(all) = list.element().first_element_child().filter(|_| !self.found.is_empty()) {
            self.row = layout::height(&all) / self.found.len() as f64;
        }
    }

    fn look(&mut self) {
        self.scrolled = Scroller::find(self.id).map_or(0.0, |list| list.scrolled());
    }

    fn seek(&mut self, sought: String) {
        if sought == self.sought {
            return;
        }
        self.found = (0..self.texts.len()).filter(|row| self.texts[*row].contains(&sought)).collect();
        self.sought = sought;
        self.active = None;
        self.scroll_to(0.0);
    }

    /// Whoever comes with the keyboard begins at what can be seen.
    fn enter(&mut self) {
        if self.active.is_none() && !self.found.is_empty() {
            let first = if self.row > 0.0 { (self.scrolled / self.row).ceil() as usize } else { 0 };
            self.active = Some(first.min(self.found.len() - 1));
        }
    }

    /// Where this key leads, if it leads anywhere.
    fn next(&self, key: &str) -> Option<usize> {
        let last = self.found.len().checked_sub(1)?;
        let page = if self.row > 0.0 { ((self.height / self.row) as usize).max(1) } else { 1 };
        let at = self.active.unwrap_or(0);
        let to = match key {
            "ArrowDown" => at + 1,
            "ArrowUp" => at.saturating_sub(1),
            "PageDown" => at + page,
            "PageUp" => at.saturating_sub(page),
            "Home" => 0,
            "End" => last,
            _ => return None,
        };
        Some(to.min(last))
    }

    fn go_to(&mut self, to: usize) {
        self.active = Some(to);
        let top = to as f64 * self.row;
        let bottom = top + self.row;
        if top < self.scrolled {
            self.scroll_to(top.floor());
        } else if bottom > self.scrolled + self.height {
            self.scroll_to((bottom - self.height).ceil());
        }
    }

    fn scroll_to(&mut self, pixels: f64) {
        // Asking a browser to scroll makes it lay the page out first.
        if pixels != self.scrolled {
            if let Some(list) = Scroller::find(self.id) {
                list.scroll_to(pixels);
            }
            self.scrolled = pixels;
        }
    }

    /// Which of those that were found belong into the page.
    fn window(&self) -> Range<usize> {
        let (first, last) = if self.row > 0.0 {
            ((self.scrolled / self.row) as usize, ((self.scrolled + self.height) / self.row).ceil() as usize)
        } else {
            (0, 0)
        };
        let end = (last + AROUND).min(self.found.len());
        first.saturating_sub(AROUND).min(end)..end
    }

    /// Brings the page up to date.
    fn refresh(&mut self) {
        if !self.begun {
            return;
        }
        let Some(list) = Scroller::find(self.id) else { return };
        let Some(rows) = list.element().first_element_child().and_then(|all| all.first_element_child()) else { return };
        let count = self.found.len();
        if self.properties.is_none_or(|(before, _)| before != count) {
            list.set_property("--count", &count.to_string());
        }
        if self.row == 0.0 {
            self.measure();
        }
        let window = self.window();
        if self.properties.is_none_or(|(_, before)| before != window.start) {
            list.set_property("--first", &window.start.to_string());
        }
        self.properties = Some((count, window.start));
        let wanted = &self.found[window.clone()];
        self.mounted.retain_mut(|mounted| {
            let stays = wanted.binary_search(&mounted.row).is_ok();
            if !stays {
                mounted.state.unmount();
            }
            stays
        });
        // From the last to the first: each new one goes before the one after it.
        let mut active = None;
        let mut kept = std::mem::take(&mut self.mounted);
        for at in window.rev() {
            let (row, place) = (self.found[at], (at, count));
            let mut mounted = match kept.pop_if(|mounted| mounted.row == row) {
                Some(mounted) => mounted,
                None => {
                    let before = self.mounted.last().map(|mounted| mounted.element.as_ref());
                    let Some(mounted) = self.mount(row, place, &rows, before) else { continue };
                    mounted
                }
            };
            mounted.update(place, self.active == Some(at));
            if mounted.active {
                active = Some(mounted.element.id());
            }
            self.mounted.push(mounted);
        }
        self.mounted.reverse();
        const ACTIVE: &str = "aria-activedescendant";
        if list.element().get_attribute(ACTIVE) != active {
            let _ = match active {
                Some(id) => list.element().set_attribute(ACTIVE, &id),
                None => list.element().remove_attribute(ACTIVE),
            };
        }
    }

    fn mount(
        &self,
        row: usize,
        place: (usize, usize),
        rows: &Element,
        before: Option<&web_sys::Node>,
    ) -> Option<Mounted> {
        let id = [self.id, "-", &row.to_string()].concat();
        let (position, size) = ((place.0 + 1).to_string(), place.1.to_string());
        let attributes = [("role", "option"), ("id", &*id), ("aria-posinset", &*position), ("aria-setsize", &*size)];
        let mut state = el("div", &attributes, vec![(self.show)(row)]).build();
        let element = state.elements().into_iter().next()?;
        state.mount(rows, before);
        Some(Mounted { row, state, element, place, active: false })
    }
}

impl Mounted {
    fn update(&mut self, place: (usize, usize), active: bool) {
        if self.place != place {
            self.place = place;
            let _ = self.element.set_attribute("aria-posinset", &(place.0 + 1).to_string());
            let _ = self.element.set_attribute("aria-setsize", &place.1.to_string());
        }
        if self.active != active {
            self.active = active;
            let _ = self.element.toggle_attribute_with_force("data-active", active);
        }
    }
}

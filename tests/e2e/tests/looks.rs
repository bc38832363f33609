//! What every view owes to everybody who looks at it, or cannot.

use polar_signin_e2e::{
    Context, Result, Stage, Tab, axe,
    gallery::{show_on, walk},
    pages::StartPage,
    suite,
};
use serde_json::{Value, json};

suite![; chromium:
    every_view_fits_every_screen,
    every_text_can_be_read_in_light_and_dark,
    every_control_has_a_name,
    axe_finds_nothing_in_any_view,
    nothing_moves_while_the_app_arrives,
    every_view_stands_still_for_those_who_ask_for_it,
];

async fn every_view_fits_every_screen(stage: Stage) -> Result {
    walk(&stage, async |view, tab| {
        for width in [320, 360, 768, 1280, 1920] {
            show_on(tab, width, "light").await?;
            let overflow = "const width = document.documentElement.clientWidth;
                return Array.from(document.body.querySelectorAll('*'))
                    .filter(element => element.getBoundingClientRect().right > width + 0.5
                        && !element.closest('pre, details:not([open])'))
                    .map(element => element.outerHTML.slice(0, 120))";
            let over = tab.eval(overflow, &[]).await?;
            assert_eq!(over, json!([]), "{view} is wider than {width}");
            let scrolled = tab.eval("return document.documentElement.scrollWidth", &[]).await?;
            assert!(
                scrolled.as_u64().is_some_and(|scrolled| scrolled <= width.into()),
                "{view} scrolls sideways at {width}"
            );
        }
        Ok(())
    })
    .await
}

async fn every_text_can_be_read_in_light_and_dark(stage: Stage) -> Result {
    walk(&stage, async |view, tab| {
        // The provider's own page is not ours to judge.
        if view == "choice" {
            return Ok(());
        }
        for scheme in ["light", "dark"] {
            show_on(tab, 1280, scheme).await?;
            let faint = tab.eval(FAINT, &[]).await?;
            assert_eq!(faint, json!([]), "{view}, {scheme}");
        }
        Ok(())
    })
    .await
}

/// The texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
const FAINT: &str = "
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const parse = color => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const behind = element => {
        const layers = [];
        for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
        return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
    };
    const light = color => {
        const [r, g, b] = color.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const faint = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; node = walker.nextNode();) {
        const element = node.parentElement;
        if (!node.data.trim() || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        if (element.closest('[aria-hidden=true], :disabled, script, style, noscript')) continue;
        const back = behind(element);
        const [a, b] = [light(over(parse(getComputedStyle(element).color), back)), light(back)].sort((x, y) => y - x);
        const contrast = (a + 0.05) / (b + 0.05);
        if (contrast < 4.5) faint.push(`${node.data.trim().slice(0, 60)}: ${contrast.toFixed(2)}`);
    }
    return faint;";

async fn every_control_has_a_name(stage: Stage) -> Result {
    walk(&stage, async |view, tab| {
        let controls =
            ["button", "link", "textbox", "searchbox", "checkbox", "radio", "combobox", "image", "DisclosureTriangle"];
        let tree = tab.cdp("Accessibility.getFullAXTree", json!({})).await?;
        let text = |node: &Value, name: &str| node[name]["value"].as_str().unwrap_or_default().trim().to_owned();
        let nodes = tree["nodes"].as_array().context("no tree")?;
        let shown: Vec<_> = nodes.iter().filter(|node| node["ignored"] != true).collect();
        let is = |node: &&&Value, role: &str| text(node, "role") == role;
        assert!(shown.iter().any(|node| is(&node, "button")), "{view} has no button at all");
        for node in &shown {
            let role = text(node, "role");
            assert!(
                !controls.contains(&role.as_str()) || !text(node, "name").is_empty(),
                "{view}: a {role} without a name: {node}"
            );
        }
        let level_one = |node: &&&Value| {
            let level =
                node["properties"].as_array().into_iter().flatten().find(|property| property["name"] == "level");
            is(node, "heading") && level.is_some_and(|level| level["value"]["value"] == 1)
        };
        assert_eq!(shown.iter().filter(level_one).count(), 1, "{view} has not one heading of the first level");
        assert_eq!(shown.iter().filter(|node| is(node, "main")).count(), 1, "{view} has not one main part");
        Ok(())
    })
    .await
}

async fn axe_finds_nothing_in_any_view(stage: Stage) -> Result {
    walk(&stage, async |view, tab| {
        if view == "choice" {
            return Ok(());
        }
        for (width, scheme) in [(360, "light"), (1280, "dark")] {
            show_on(tab, width, scheme).await?;
            axe::finds_nothing(tab, "html", &format!("{view}, {width}, {scheme}")).await?;
        }
        Ok(())
    })
    .await
}

async fn nothing_moves_while_the_app_arrives(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    tab.before_every_page(
        "window.shifts = [];
         new PerformanceObserver(list => window.shifts.push(...list.getEntries().map(entry => entry.value)))
             .observe({ type: 'layout-shift', buffered: true });",
    )
    .await?;
    let hold = stage.gateway().hold(".wasm");
    tab.goto(&stage.site()).await?;
    let before = place_of_the_button(&tab).await?;
    hold.release();
    StartPage::wait(&tab).await?;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(place_of_the_button(&tab).await?, before, "the button has moved");
    let shifts = tab.eval("return window.shifts.reduce((sum, shift) => sum + shift, 0)", &[]).await?;
    assert!(shifts.as_f64().is_some_and(|sum| sum < 0.01), "layout shifts: {shifts}");
    Ok(())
}

async fn place_of_the_button(tab: &Tab) -> Result<Value> {
    let script = "const { x, y, width, height } = document.querySelector('#sign-in').getBoundingClientRect();
        return [x, y, width, height].map(Math.round)";
    tab.eval(script, &[]).await
}

async fn every_view_stands_still_for_those_who_ask_for_it(stage: Stage) -> Result {
    walk(&stage, async |view, tab| {
        let features = json!([{ "name": "prefers-reduced-motion", "value": "reduce" }]);
        tab.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await?;
        let moving = "return document.getAnimations().filter(animation =>
            animation.playState === 'running' && animation.effect.getComputedTiming().duration < 2000).length";
        assert_eq!(tab.eval(moving, &[]).await?, json!(0), "{view} moves");
        Ok(())
    })
    .await
}

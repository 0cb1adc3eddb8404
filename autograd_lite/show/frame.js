const { frameElement } = window; // in a notebook: as high as the page is, and in JupyterLab's colours
if (frameElement) {
	const { jpThemeLight } = frameElement.ownerDocument.body.dataset, { documentElement, body } = document;
	if (jpThemeLight) documentElement.dataset.theme ??= jpThemeLight === "true" ? "light" : "dark";
	new ResizeObserver(() => { frameElement.style.height = `${body.scrollHeight}px`; }).observe(body);
}

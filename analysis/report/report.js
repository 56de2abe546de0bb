// Without this script the page is complete, only the filter is missing.
(() => {
  const line = document.getElementById("filter");
  if (!line) return;
  line.hidden = false;
  const needle = document.getElementById("needle");
  const matches = document.getElementById("matches");
  const articles = [...document.querySelectorAll("#invalid article")];
  let words = null;
  const filter = () => {
    const wanted = needle.value.trim().toLowerCase();
    words ??= articles.map((article) => (article.parentElement.firstElementChild.textContent + " " + article.textContent).toLowerCase());
    let count = 0;
    articles.forEach((article, index) => {
      const hit = words[index].includes(wanted);
      article.hidden = !hit;
      count += hit;
    });
    document.querySelectorAll("#invalid details").forEach((part) => {
      const any = part.querySelector("article:not([hidden])") !== null;
      part.hidden = !any;
      if (wanted) part.open = any && count <= 200;
    });
    matches.textContent = wanted ? `${count} of ${articles.length} shown` : "";
  };
  let waiting = 0;
  needle.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 150); });
})();

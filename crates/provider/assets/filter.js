// Hides the organizations whose name does not hold what is typed. Without it, the list is just longer.
const filter = document.getElementById("filter");
filter?.addEventListener("input", () => {
  const wanted = filter.value.trim().toLowerCase();
  for (const label of document.querySelectorAll(".choices label")) {
    label.hidden = !label.textContent.toLowerCase().includes(wanted);
  }
});
// Enter in the filter does not decide.
filter?.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});

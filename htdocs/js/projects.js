/* projects: fills the list of the front page from /api/projects, as far as the visitor may see it. */
document.getElementById("here").textContent = location.origin;

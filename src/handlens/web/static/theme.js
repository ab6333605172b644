// Before anything is shown, so that nothing flashes: the theme that was chosen, else the system's.
document.documentElement.dataset.theme = localStorage.getItem("handlens-theme") ?? "system";

// Shows every station and keeps it current. Text from devices and the register only ever becomes
// textContent, never markup.
"use strict";

const STATUSES = ["free", "reserved", "occupied", "unavailable", "faulted", "unknown"];
const PLUG_STATUSES = ["free", "reserved", "occupied", "blocked", "unavailable", "faulted", "unknown"];
const EVERY_MS = 1000;
const MOST_STATIONS = 2000; // more would make the browser slow, not the worker

const byId = (id) => document.getElementById(id);
const cards = new Map(); // station_id -> {root, parts, station}
const filters = new Map(); // status -> {button, count}
const parts = new Map(); // status -> its share of the bar
let wantedStatus = null;
let answeredAt = null;
let truncated = false;
let partial = false;
let failure = null;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function span(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60]];
  for (const [unit, size] of units) {
    if (seconds >= size) return `${Math.floor(seconds / size)}\u00a0${unit}`;
  }
  return `${Math.max(0, Math.floor(seconds))}\u00a0s`;
}

// A minute ago is a minute; a year ago is a date.
function since(timestamp) {
  if (timestamp === null) return "";
  const seconds = (Date.now() - Date.parse(timestamp)) / 1000;
  return seconds < 30 * 86400 ? `for ${span(seconds)}` : `since ${timestamp.slice(0, 10)}`;
}

function plug(connector) {
  const known = { IEC_62196_T2: "Type 2", IEC_62196_T2_COMBO: "CCS", IEC_62196_T1: "Type 1",
    IEC_62196_T1_COMBO: "CCS 1", CHADEMO: "CHAdeMO", DOMESTIC_F: "Schuko", TESLA_S: "Tesla" };
  const facts = [];
  if (connector.standard) facts.push(known[connector.standard] || connector.standard);
  if (connector.max_power_kw !== null) facts.push(`${connector.max_power_kw}\u00a0kW`);
  return facts.join(" · ");
}

function makeCard(stationId) {
  const root = element("li", "station");
  const head = element("div", "station-head");
  const heading = element("h2");
  const link = element("a");
  link.href = `/v1/stations/${encodeURIComponent(stationId)}/sessions`;
  heading.append(link);
  const names = element("div");
  const id = element("div", "id");
  const badge = element("span", "badge");
  const connectors = element("ul", "connectors");
  names.append(heading, id);
  head.append(names, badge);
  root.append(head, connectors);
  return { root, link, id, badge, connectors, rows: [], station: null };
}

function makeRow() {
  const root = element("li", "connector");
  const mark = element("span", "mark");
  mark.setAttribute("aria-hidden", "true");
  const what = element("span", "what");
  const status = element("span");
  const detail = element("span", "plug");
  what.append(status, detail);
  const when = element("span", "since");
  root.append(mark, what, when);
  return { root, status, detail, when };
}

function showConnector(row, connector) {
  row.root.className = `connector s-${connector.status}`;
  setText(row.status, `${connector.connector_id}: ${connector.status}`);
  const error = connector.error_code && connector.status === "faulted" ? connector.error_code : "";
  const detail = [error, plug(connector)].filter(Boolean).join(" · ");
  setText(row.detail, detail);
  setText(row.when, connector.status === "unknown" && connector.since === null
    ? "never heard" : since(connector.since));
  row.when.title = connector.since === null ? "" : connector.since;
}

function showStation(card, station) {
  const changed = card.station !== null && card.station.status !== station.status;
  card.station = station;
  setText(card.link, station.name || station.station_id);
  card.link.title = `Sessions of ${station.station_id}`;
  setText(card.id, station.name ? station.station_id : "not in the register");
  const several = station.status === "free" && station.evses > 1;
  setText(card.badge, several ? `${station.free} of ${station.evses} free` : station.status);
  card.root.className = `station s-${station.status}${changed ? " changed" : ""}`;
  while (card.rows.length < station.connectors.length) {
    const row = makeRow();
    card.rows.push(row);
    card.connectors.append(row.root);
  }
  while (card.rows.length > station.connectors.length) card.rows.pop().root.remove();
  station.connectors.forEach((connector, index) => showConnector(card.rows[index], connector));
}

function showStations(stations) {
  const answered = new Map(stations.map((station) => [station.station_id, station]));
  for (const [stationId, card] of cards) {
    // What a missing worker owns is old, not gone.
    if (!answered.has(stationId) && !partial) {
      card.root.remove();
      cards.delete(stationId);
    }
  }
  for (const [stationId, station] of answered) {
    if (!cards.has(stationId)) cards.set(stationId, makeCard(stationId));
    showStation(cards.get(stationId), station);
  }
  const list = byId("stations");
  let next = list.firstElementChild;
  for (const stationId of [...cards.keys()].sort()) {
    const { root } = cards.get(stationId);
    if (root === next) next = next.nextElementSibling;
    else list.insertBefore(root, next);
  }
}

function showOverview() {
  let free = 0;
  let evses = 0;
  const stations = Object.fromEntries(STATUSES.map((status) => [status, 0]));
  const plugs = Object.fromEntries(PLUG_STATUSES.map((status) => [status, 0]));
  for (const { station } of cards.values()) {
    free += station.free;
    evses += station.evses;
    stations[station.status] += 1;
    for (const connector of station.connectors) plugs[connector.status] += 1;
  }
  setText(byId("free"), String(free));
  setText(byId("evses"), String(evses));
  for (const [status, filter] of filters) setText(filter.count, String(stations[status]));
  for (const [status, part] of parts) {
    part.style.setProperty("flex-grow", plugs[status]);
    part.hidden = plugs[status] === 0;
  }
}

function applyFilters() {
  const text = byId("search").value.trim().toLowerCase();
  let shown = 0;
  for (const [stationId, { root, station }] of cards) {
    const named = `${stationId} ${station.name || ""}`.toLowerCase().includes(text);
    root.hidden = !(named && (wantedStatus === null || station.status === wantedStatus));
    shown += root.hidden ? 0 : 1;
  }
  let result = cards.size ? `${shown} of ${cards.size} stations` : "";
  if (!cards.size && answeredAt !== null) result = "No station has been heard of yet.";
  if (truncated) result = `${shown} of the first ${cards.size} stations (there are more: use the API)`;
  setText(byId("result"), result);
}

function showFreshness() {
  const age = answeredAt === null ? null : (Date.now() - answeredAt) / 1000;
  const live = failure === null && age !== null && age < 5;
  byId("pulse").className = `pulse ${age === null && failure === null ? "" : live ? "live" : "stale"}`;
  if (age !== null) setText(byId("freshness-text"), live ? "Live" : `Last answer ${span(age)} ago`);
  else if (failure !== null) setText(byId("freshness-text"), "No answer yet");
  const notice = byId("problem");
  const text = failure || (partial ? "Some stations are missing or old: a part of the network does not answer at this moment." : "");
  notice.hidden = !text;
  setText(notice, text);
}

async function fetchStations() {
  const stations = [];
  let cursor = null;
  let missing = false;
  do {
    const query = new URLSearchParams({ limit: "1000" });
    if (cursor) query.set("cursor", cursor);
    const response = await fetch(`/v1/stations?${query}`, { signal: AbortSignal.timeout(8000) });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    stations.push(...answer.stations);
    missing = missing || answer.partial || Boolean(answer.stale);
    cursor = answer.next;
  } while (cursor && stations.length < MOST_STATIONS);
  return { stations, missing, more: Boolean(cursor) };
}

async function update() {
  if (!document.hidden) {
    try {
      const found = await fetchStations();
      failure = null;
      partial = found.missing;
      truncated = found.more;
      answeredAt = Date.now();
      showStations(found.stations);
      showOverview();
      applyFilters();
    } catch (problem) {
      failure = `The stations cannot be loaded: ${problem.message}`;
    }
    showFreshness();
  }
  setTimeout(update, EVERY_MS);
}

function makeFilters() {
  for (const status of STATUSES) {
    const button = element("button", `filter s-${status}`);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    const mark = element("span", "mark");
    mark.setAttribute("aria-hidden", "true");
    const count = element("span", "count", "0");
    button.append(mark, element("span", "", status), count);
    button.addEventListener("click", () => {
      wantedStatus = wantedStatus === status ? null : status;
      for (const [each, filter] of filters) {
        filter.button.setAttribute("aria-pressed", String(each === wantedStatus));
      }
      applyFilters();
    });
    byId("statuses").append(button);
    filters.set(status, { button, count });
  }
}

function makeBar() {
  for (const status of PLUG_STATUSES) {
    const part = element("span", `s-${status}`);
    byId("bar").append(part);
    parts.set(status, part);
  }
}

byId("search").addEventListener("input", applyFilters);
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
makeFilters();
makeBar();
update();

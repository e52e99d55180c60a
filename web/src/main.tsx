// SPDX-License-Identifier: Apache-2.0
import { render } from "preact";
import { App } from "./app";
import { Live } from "./live";
import "uplot/dist/uPlot.min.css";
import "./app.css";

const live = new Live();
render(<App live={live} />, document.getElementById("app")!);
live.connect();

console.log("engine: later");

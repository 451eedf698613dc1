const element = document.getElementById("redoc");
Redoc.init(element.dataset.schema, {}, element);

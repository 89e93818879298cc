// The page: one exhibit after the other, as latentgen.json lists them.

import { Exhibit } from './exhibit.js';

const trouble = document.getElementById('trouble');

try {
  const response = await fetch('latentgen.json');
  if (!response.ok)
    throw new Error(`latentgen.json is missing (the server says ${response.status}). Write the site again.`);
  const { exhibits } = await response.json();
  const shown = exhibits.map(facts => new Exhibit(facts));
  document.getElementById('exhibits').append(...shown.map(exhibit => exhibit.element));
  for (const exhibit of shown) await exhibit.open();
} catch (error) {
  console.error(error);
  trouble.hidden = false;
  trouble.textContent = `This page cannot be shown: ${error.message}`;
}

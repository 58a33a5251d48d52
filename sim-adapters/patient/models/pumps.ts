/** mg/s: as fast as the pump of propofol goes. */
export const propofolLimit = 6.67;

/** µg/s: the same of remifentanil. */
export const remifentanilLimit = 16.67;

import { DataSource } from 'typeorm';

export default new DataSource({ type: 'mariadb', url: process.env.MARIADB_URL });
